import { createOutboxCounters } from "../../src/outbox/counters.ts";
import type { AnyOutboxDeclaration } from "../../src/outbox/declaration.ts";
import type { DeclaredOutbox } from "../../src/outbox/outboxes.ts";
import type { OutboxSettings } from "../../src/outbox/settings.ts";

/** Outboxes with an invented past: one whose broker refuses, one that keeps up, and a queue in the ledger. */

function declare(name: string, to: string | undefined, waiting: number, oldestAt: Date | null): DeclaredOutbox {
  const declaration = { name, ...(to === undefined ? {} : { to: { name: to } }) } as unknown as AnyOutboxDeclaration;
  const settings = { name, declaration, leaseMs: 10_000, limitBytes: 196_608 } as OutboxSettings;
  const counters = createOutboxCounters();
  const standing = { waiting, oldestAt };
  return {
    ...{ name, declaration, settings, counters },
    publishIn: () => Promise.reject(new Error("nothing is published here")),
    source: () => {
      throw new Error("nothing is received here");
    },
    standing: async () => standing,
    lastStanding: () => standing,
    counts: () => ({ ...counters }),
  };
}

export function fakeOutboxes(now: number, quiet: boolean): readonly DeclaredOutbox[] {
  return [
    quiet
      ? declare("seat.released", "rabbitmq seat.released", 0, null)
      : declare("seat.released", "rabbitmq seat.released", 1_318, new Date(now - 190_000)),
    declare("badge.rendered", "nats BADGES render-badges-of-every-workshop", 2, new Date(now - 400)),
    declare("seat.book", undefined, quiet ? 0 : 3, quiet ? null : new Date(now - 4_000)),
  ];
}

/** The first one's broker refuses here and there; the others lose no time. */
export function sendMessages(outboxes: readonly DeclaredOutbox[], seconds: number, noise: () => number): void {
  for (const [index, { counters, declaration }] of outboxes.entries()) {
    const published = Math.round(seconds * (1.2 - index * 0.3) * (0.7 + 0.6 * noise()));
    counters.published += published;
    counters.relayed += declaration.to === undefined ? 0 : published;
    counters.failed += index === 0 && noise() < 0.02 ? 1 : 0;
  }
}
