import { afterAll } from "vitest";
import type { LeaseStore } from "../../src/contract/lease.ts";
import type { Ledger } from "../../src/contract/ledger.ts";
import { createReprise, type Source, unchecked } from "../../src/index.ts";
import { decodeSetAside, encodeMessage, encodeSetAside } from "../../src/outbox/message.ts";
import { outboxSettingsOf } from "../../src/outbox/settings.ts";
import { type LedgerAdapter, type SourceAdapter, sourceSuite } from "../../src/testing/index.ts";
import { postgresLedgers } from "../support/postgres-ledgers.ts";
import { describeSuite } from "../support/suite.ts";

/** Whoever has a lease when it is cut is refused its renewal. */
function cuttable(leases: LeaseStore<unknown>) {
  const acquired = new Set<string>();
  const cut = new Set<string>();
  const store: LeaseStore<unknown> = {
    ...leases,
    acquire: async (request) => {
      const answer = await leases.acquire(request);
      if (answer.is === "acquired") acquired.add(request.attempt);
      return answer;
    },
    renew: async (grip, leaseMs) => !cut.has(grip.attempt) && leases.renew(grip, leaseMs),
  };
  return {
    store,
    cut: async () => {
      for (const attempt of acquired) cut.add(attempt);
    },
  };
}

/** The queue of an outbox that has nobody to send to. */
function queueOn<Tx>({ name, open }: LedgerAdapter<Tx>): SourceAdapter {
  return {
    name: `an outbox on ${name}`,
    can: { cut: true, refusal: { not: "its ledger takes what it can write at all" }, deadLetters: true },
    open: async () => {
      const stage = await open();
      const { registers, leases } = stage.ledger;
      if (registers?.appendIn === undefined || leases === undefined) throw new Error(`${name} has no outbox`);
      const { store, cut } = cuttable(leases);
      // several receivers stand for several instances: none of them closes it
      const ledger = { ...stage.ledger, leases: store, close: async () => {} } as Ledger<Tx>;
      const reprise = createReprise({ service: "shop", undecided: "listed", ledger });
      const declaration = { name: "seats", message: unchecked<unknown>(), id: () => "one", lease: "2s" } as const;
      const outbox = (reprise.outbox as (given: typeof declaration) => QueueOf<Tx>)(declaration);
      await reprise.start();
      let aside = 0;
      const { names } = outboxSettingsOf("shop", declaration as never);
      return {
        source: outbox.source(),
        send: (body) =>
          stage.ledger.transaction(async (tx) => {
            if (isJson(body)) return outbox.publishIn(tx, JSON.parse(body));
            return registers.appendIn?.(tx, names.messages, encodeMessage({ id: "odd", body, sentAt: null }));
          }),
        setAside: async () => {
          const found = await registers.list({ prefix: names.deadLetters, after: null, limit: 100 });
          return found.map(decodeSetAside).map(({ message: { body }, reason }) => ({ body, reason }));
        },
        // nobody else writes there: what another version of this library may once leave untold
        sendAside: async (body) => {
          const message = { id: "odd", body, sentAt: null };
          const text = encodeSetAside({ message, reason: null, why: null } as never);
          await registers.replace(
            `${names.deadLetters}${String(Date.now() * 1_000 + aside++).padStart(16, "0")}`,
            text,
            null,
          );
        },
        cut,
        close: async () => {
          await reprise.close();
          await stage.close();
        },
      };
    },
  };
}

interface QueueOf<Tx> {
  readonly publishIn: (tx: Tx, message: unknown) => Promise<void>;
  readonly source: () => Source;
}

function isJson(body: string): boolean {
  try {
    return JSON.stringify(JSON.parse(body)) === body;
  } catch {
    return false;
  }
}

const postgres = await postgresLedgers();
afterAll(postgres.drop);

function suite<Tx>(adapter: LedgerAdapter<Tx>, missing?: string): void {
  const queue = queueOn(adapter);
  describeSuite(`the suite of sources on ${queue.name}`, sourceSuite(queue), missing);
}

// what stores keep of it, the suite of registers holds each of them to
suite(postgres.overPg, postgres.missing);
