import type { DeclaredConsumer } from "../../src/consume/consumers.ts";
import { createConsumeCounters } from "../../src/consume/counters.ts";
import type { LetterChoice } from "../../src/consume/letter-choice.ts";
import type { LetterCounts } from "../../src/consume/set-aside.ts";
import type { ConsumeSettings } from "../../src/consume/settings.ts";
import type { DeadLetter, DeadLetterReason, Source } from "../../src/contract/source.ts";

/** Consumers with an invented past: one that is busy and has set aside, one that is idle, one that cannot be looked into. */

const minuteMs = 60_000;
const canary = "canary-4111111111111111";

interface Declared {
  readonly name: string;
  readonly operation: string;
  readonly owner: string | undefined;
  readonly waiting: number | null;
  readonly letters: readonly DeadLetter[] | null;
}

function letter(at: number, place: number, reason: DeadLetterReason | null, why: string | null): DeadLetter {
  return {
    id: `4f2a09c1-27e3-4553-b920-${(141_105_178_000 + place).toString(16).padStart(12, "0")}`,
    read: () => ({ reference: canary }),
    sentAt: at - place * 7 * minuteMs - 90_000,
    setAsideAt: reason === null ? null : at - place * 7 * minuteMs,
    reason,
    why,
    bytes: 180 + place * 31,
  };
}

function declare({ name, operation, owner, waiting, letters }: Declared): DeclaredConsumer {
  const source: Source = {
    name,
    delays: false,
    horizon: async () => null,
    open: () => new Promise(() => {}),
    ...(letters === null ? {} : { deadLetters: () => Promise.reject(new Error("looked at elsewhere")) }),
  };
  let kept = letters ?? [];
  const counters = createConsumeCounters();
  const meant = ({ ids, reason, most = 50 }: LetterChoice) =>
    kept
      .filter((one) => (ids?.includes(one.id) ?? true) && (reason === undefined || one.reason === reason))
      .slice(0, most);
  const remove = async (choice: LetterChoice): Promise<LetterCounts> => {
    const chosen = meant({ ...choice, most: choice.most ?? 1_000 });
    kept = kept.filter((one) => !chosen.includes(one));
    return { done: chosen.length, gone: Math.max(0, (choice.ids?.length ?? 0) - chosen.length), more: false };
  };
  const standing = () => ({ waiting, setAside: letters === null ? null : kept.length });
  return {
    ...{ name, owner, counters },
    declaration: { operation: { name: operation } as never, source, options: { deliveredWithin: "14d" } },
    settings: {
      where: `consumer of '${name}'`,
      contract: { operation } as ConsumeSettings["contract"],
      ...{ atOnce: 64, attempts: 5, retryInMs: [1_000], deliveredWithinMs: 14 * 86_400_000, refusals: "acknowledge" },
      ...{ inOrderBy: name.includes("released") ? () => "workshop" : null, keyOf: null, batch: null },
    } as ConsumeSettings,
    horizonMs: () => null,
    lastStanding: standing,
    standing: async () => standing(),
    letters: async (choice) => ({ letters: meant(choice), more: kept.length > (choice.most ?? 50) }),
    redriveLetters: remove,
    discardLetters: remove,
  };
}

export function fakeConsumers(now: number, quiet: boolean): readonly DeclaredConsumer[] {
  const set = quiet
    ? []
    : [
        letter(now, 1, "failed", "TypeError"),
        letter(now, 2, "failed", "FetchError ECONNREFUSED"),
        letter(
          now,
          3,
          "invalid",
          "seat.released: input is invalid: reference: Invalid input: expected string, received undefined",
        ),
        letter(now, 5, "mismatch", "its identity came with other input before"),
        letter(now, 9, "too-old", "outcomes of its time are forgotten"),
        letter(now, 12, null, null),
      ];
  return [
    declare({
      ...{ name: "rabbitmq seat.released", operation: "seat.release", owner: "booking-team" },
      ...{ waiting: quiet ? 0 : 1_204, letters: set },
    }),
    declare({
      ...{ name: "nats BADGES render-badges-of-every-workshop", operation: "seat.book", owner: "events-team" },
      ...{ waiting: 0, letters: [] },
    }),
    declare({
      ...{ name: "kafka newsletter.subscribed", operation: "newsletter.subscribe", owner: undefined },
      ...{ waiting: null, letters: null },
    }),
  ];
}

/** The first of them is busy, and here and there something of it comes again or fails; the second only runs. */
export function receiveMessages(
  [busy, steady]: readonly DeclaredConsumer[],
  seconds: number,
  noise: () => number,
): void {
  if (busy === undefined || steady === undefined) return;
  const ran = Math.round(1.1 * seconds * (0.7 + 0.6 * noise()));
  const replayed = noise() < 0.3 ? 1 : 0;
  const refused = noise() < 0.05 ? 1 : 0;
  const invalid = noise() < 0.02 ? 1 : 0;
  busy.counters.received += ran + replayed + refused + invalid;
  busy.counters.ran += ran;
  busy.counters.replayed += replayed;
  busy.counters.refused += refused;
  busy.counters.failed += noise() < 0.1 ? 1 : 0;
  busy.counters.setAside.invalid += invalid;
  const more = Math.round(0.3 * seconds);
  steady.counters.received += more;
  steady.counters.ran += more;
}
