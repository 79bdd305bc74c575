import { type Clock, systemClock } from "../../base/clock.ts";
import { RepriseError } from "../../base/errors.ts";
import type { JournalEntry } from "../../contract/journal.ts";
import type { Atomic, Finished, Ledger, WorkRequest } from "../../contract/ledger.ts";
import { newestWriteJournal } from "../../contract/newest-writes.ts";
import { intervene } from "../intervene.ts";
import {
  effectRecord,
  effectRecords,
  finish,
  noteAttempt,
  parkWork,
  passesOver,
  reopenIfAnswered,
  runSummary,
  standingOf,
  startedEffects,
} from "../work.ts";
import { memoryLeases } from "./leases.ts";
import { memoryRegisters } from "./registers.ts";
import { createShelf, isVisible, type Scope } from "./shelf.ts";
import {
  foreignTransactions,
  type MemoryTransaction,
  memoryTransactions,
  newScope,
  type Runner,
  type Transactions,
} from "./transaction.ts";
import { holds, isDue, type Work } from "./work.ts";

const name = "memory";

/** The ledger, and the rows that its own transactions write, for looking at. */
export interface MemoryLedger extends Ledger<MemoryTransaction> {
  readonly rows: ReadonlyMap<string, unknown>;
}

interface MemoryLedgerOptions {
  /** The ledger's clock. Default: the system's. */
  readonly clock?: Clock | undefined;
}

/**
 * A ledger for tests: it forgets with its process. Its transactions write rows by key, or they are the transactions
 * of another store, whose commit the outcome then follows without sharing it: a crash between the two loses the outcome.
 *
 * @example
 * const ledger = memoryLedger({ clock: manualClock() });
 */
export function memoryLedger(options?: MemoryLedgerOptions): MemoryLedger;
export function memoryLedger<Tx>(
  options: MemoryLedgerOptions & { readonly transactions: Transactions<Tx> },
): Ledger<Tx>;
export function memoryLedger<Tx>(
  options: MemoryLedgerOptions & { readonly transactions?: Transactions<Tx> } = {},
): MemoryLedger | Ledger<Tx> {
  const clock = options.clock ?? systemClock;
  if (options.transactions !== undefined) return createLedger(clock, foreignTransactions(options.transactions));
  const rows = new Map<string, unknown>();
  return { ...createLedger(clock, memoryTransactions(rows, clock, name)), rows };
}

function createLedger<Tx>(clock: Clock, runner: Runner<Tx>): Ledger<Tx> {
  const shelf = createShelf();
  const journal: JournalEntry[] = [];
  let state: "new" | "open" | "closed" = "new";

  /** A step of the store: it happens at once and whole, or not at all when the ledger is not open. */
  const step = async <T>(doing: string, work: (now: number) => T): Promise<T> => {
    // the first use opens
    if (state === "new") state = "open";
    if (state === "open") return work(clock.now());
    throw new RepriseError("REPRISE_LEDGER_AWAY", { ledger: name, doing: `${doing}, ${state}` });
  };

  const visible = (): readonly Work[] => [...shelf.works()].filter((work) => isVisible(work, undefined));

  /** The work that the scope's transaction has just claimed, and its outcome. */
  const runOnce = async <T>(work: Work | undefined, request: WorkRequest, run: () => Promise<Finished<T>>) => {
    const { value, outcome, refused } = await run();
    const at = clock.now();
    if (work !== undefined) finish(work, at, outcome, refused, request.keepMs);
    return { is: "ran", value, at } as const;
  };

  const atomic = async <T>(
    scope: Scope,
    request: WorkRequest,
    run: (work: Work | undefined) => Promise<Atomic<T>>,
  ): Promise<Atomic<T>> => {
    const claim = await step("claim", (now) => shelf.claimIn(now, request, scope));
    return claim.is === "won" ? run(shelf.get(request.name)) : claim;
  };

  const scoped = <T>(tx: Tx, work: (scope: Scope, now: number) => T): Promise<T> =>
    runner.nest(tx, async (_, scope) => work(scope, clock.now()));

  return {
    name,
    transactional: true,
    forgets: true,
    open: async () => {
      if (state === "closed") throw new RepriseError("REPRISE_LEDGER_AWAY", { ledger: name, doing: "open, closed" });
      state = "open";
    },
    close: async () => {
      state = "closed";
      await runner.idle();
    },

    claim: (request) => step("claim", (now) => shelf.claim(now, request)),
    find: (request) => step("find", (now) => shelf.find(now, request)),
    renew: (fence, leaseMs, progress) =>
      step("renew", (now) => {
        const work = shelf.get(fence.name);
        if (!holds(work, fence)) return "fenced";
        Object.assign(work, { leaseUntil: now + leaseMs, progress: progress ?? work.progress });
        return work.cancelled ? "cancelled" : "renewed";
      }),

    accept: (request) => step("accept", (now) => shelf.accept(now, request, undefined)),
    standing: (id) =>
      step("standing", () => {
        const work = shelf.byId(id);
        return work === undefined || !isVisible(work, undefined) ? null : standingOf(work);
      }),

    start: (fence, { effect, settleMs }) =>
      step("start", (now) => {
        const work = shelf.get(fence.name);
        if (!holds(work, fence)) return { is: "fenced" };
        const present = work.effects.get(effect);
        if (present !== undefined) return { is: "present", record: effectRecord(effect, present, now) };
        work.effects.set(effect, {
          kind: "effect",
          startedAt: now,
          token: work.token,
          settleAt: now + settleMs,
          pinnedAt: null,
          answer: null,
        });
        return { is: "started" };
      }),
    restart: (fence, { effect, settleMs }) =>
      step("restart", (now) => {
        const work = shelf.get(fence.name);
        const present = holds(work, fence) ? work.effects.get(effect) : undefined;
        if (present === undefined || present.answer !== null) return false;
        present.settleAt = Math.max(present.settleAt, now + settleMs);
        return true;
      }),
    pin: (id, effect, answer) =>
      step("pin", (now) => {
        const work = shelf.byId(id);
        const present = work?.effects.get(effect);
        if (work === undefined || present === undefined) return { is: "gone" };
        if (present.answer !== null) return { is: "present", answer: present.answer };
        Object.assign(present, { answer, pinnedAt: now });
        reopenIfAnswered(work, now);
        return { is: "pinned" };
      }),

    complete: (fence, { outcome, refused, keepMs, visited }) =>
      step("complete", (now) => {
        const work = shelf.get(fence.name);
        if (!holds(work, fence)) return "fenced";
        if (passesOver(work, visited)) return "effects-differ";
        finish(work, now, outcome, refused, keepMs);
        return "done";
      }),
    release: (fence, { keep, notBeforeMs, error }) =>
      step("release", (now) => {
        const work = shelf.get(fence.name);
        if (!holds(work, fence)) return "fenced";
        if (!keep && work.effects.size === 0) {
          shelf.remove(work);
          return "released";
        }
        noteAttempt(work, "released", now, error);
        Object.assign(work, { state: "open", notBefore: now + notBeforeMs, leaseUntil: now, why: error });
        return "open";
      }),
    park: (fence, { effect, why, unlessAnswered }) =>
      step("park", (now) => {
        const work = shelf.get(fence.name);
        if (!holds(work, fence)) return "fenced";
        if (unlessAnswered && (work.effects.get(effect)?.answer ?? null) !== null) return "answered";
        parkWork(work, now, effect, why);
        return "parked";
      }),

    transaction: async (work) => {
      await step("transaction", ignore);
      return runner.run(newScope(), work);
    },
    transact: async (fence, effect, work) => {
      await step("transact", ignore);
      const scope = newScope();
      return runner.run(scope, async (tx) => {
        const owned = shelf.get(fence.name);
        // the same one in another open transaction: its end decides
        while (holds(owned, fence) && owned.transactions.has(effect)) await owned.transactions.get(effect);
        if (!holds(owned, fence)) return { is: "fenced" };
        const present = owned.effects.get(effect);
        if (present !== undefined) {
          if (present.answer !== null) return { is: "present", answer: present.answer };
          // an outside call under this name is unanswered: declared otherwise before
          throw new RepriseError("REPRISE_EFFECT_NAME_TWICE", { operation: owned.about.operation, effect });
        }
        const letGo = holdOpen(owned, effect);
        scope.undo.push(letGo);
        const { value, answer } = await work(tx);
        const at = clock.now();
        const record = {
          kind: "transaction",
          startedAt: at,
          settleAt: at,
          pinnedAt: at,
          token: owned.token,
          answer,
        } as const;
        scope.commit.push(() => owned.effects.set(effect, record), letGo);
        return { is: "committed", value };
      });
    },
    conclude: async (fence, { keepMs, visited }, work) => {
      await step("conclude", ignore);
      const scope = newScope();
      return runner.run(scope, async (tx) => {
        const owned = shelf.get(fence.name);
        // another open transaction of it: its end decides
        while (holds(owned, fence) && owned.transactions.size > 0) await Promise.all(owned.transactions.values());
        if (!holds(owned, fence)) return { is: "fenced" };
        if (passesOver(owned, visited)) return { is: "effects-differ" };
        const letGo = holdOpen(owned, "(completion)");
        scope.undo.push(letGo);
        const { value, outcome, refused } = await work(tx);
        scope.commit.push(() => finish(owned, clock.now(), outcome, refused, keepMs), letGo);
        return { is: "done", value };
      });
    },
    atomic: (request, work) => {
      const scope = newScope();
      // claimed before the turn comes: who asks meanwhile is told that it runs, and waits for nothing
      return atomic(scope, request, (claimed) => runner.run(scope, (tx) => runOnce(claimed, request, () => work(tx))));
    },
    join: (tx, request, work) =>
      runner.nest(tx, (own, scope) => atomic(scope, request, (claimed) => runOnce(claimed, request, () => work(own)))),
    acceptIn: (tx, request) =>
      runner.nest(tx, (_own, scope) => step("accept", (now) => shelf.accept(now, request, scope))),

    abandoned: ({ operations, idleMs, limit, id: only }) =>
      step("abandoned", (now) =>
        visible()
          .filter(({ about, id }) => operations.includes(about.operation) && (only === undefined || id === only))
          .filter((work) => isDue(work, now - idleMs))
          .flatMap(({ id, name, about: { operation }, input, token, resumes }) =>
            input === null ? [] : [{ id, name, operation, input, token, resumes }],
          )
          .slice(0, limit),
      ),
    parkStalled: ({ id, token }, why) =>
      step("parkStalled", (now) => {
        const work = shelf.byId(id);
        if (work === undefined || work.token !== token || !isVisible(work, undefined) || !isDue(work, now))
          return false;
        parkWork(work, now, "(resume)", why);
        return true;
      }),
    parkAbandoned: (queries) =>
      step("parkAbandoned", (now) => {
        let parked = 0;
        for (const work of visible()) {
          const [started] = startedEffects(work).toSorted();
          const query = queries.find(({ operation }) => operation === work.about.operation);
          if (query === undefined || started === undefined || !isDue(work, now - query.afterMs)) continue;
          parkWork(work, now, started, "abandoned");
          parked += 1;
        }
        return parked;
      }),
    sweep: (limit) =>
      step("sweep", (now) => {
        const expired = [...shelf.works()].filter((work) => shelf.isOver(work, now)).slice(0, limit);
        for (const work of expired) shelf.remove(work);
        return expired.length;
      }),

    intervene: (id, intervention, note) =>
      step("intervene", (now) => {
        const work = shelf.byId(id);
        if (work === undefined || !isVisible(work, undefined)) return false;
        // an open transaction holds its fence: nobody takes the work from it
        if (intervention.does === "release" && work.transactions.size > 0) return false;
        return intervene(work, now, intervention, note);
      }),

    recent: ({ limit, operation, state }) =>
      step("recent", () =>
        visible()
          .filter((work) => operation === undefined || work.about.operation === operation)
          .filter((work) => state === undefined || work.state === state)
          .reverse()
          .slice(0, limit)
          .map(runSummary),
      ),
    history: (id) =>
      step("history", (now) => {
        const work = shelf.byId(id);
        if (work === undefined || !isVisible(work, undefined)) return null;
        return { run: runSummary(work), effects: effectRecords(work, now), attempts: [...work.attempts] };
      }),

    twice: ({ operation, withinMs, intent, limit }) =>
      step("twice", () => {
        const succeeded = visible()
          .filter((work) => work.about.operation === operation && work.state === "done" && !work.refused)
          .filter((work) => work.intent !== null && (intent === undefined || work.intent === intent));
        return succeeded
          .flatMap((second, place) => {
            const first = succeeded.slice(0, place).findLast((work) => work.intent === second.intent);
            if (first === undefined || second.createdAt - first.createdAt > withinMs) return [];
            const names = { first: first.name, second: second.name };
            return [{ first: runSummary(first), second: runSummary(second), names }];
          })
          .reverse()
          .slice(0, limit);
      }),
    // what is kept in memory is one page
    successes: ({ operation }) =>
      step("successes", () => ({
        successes: visible()
          .filter((work) => work.about.operation === operation && work.state === "done" && !work.refused)
          .map((work) => ({ run: runSummary(work), intent: work.intent })),
        next: null,
      })),

    journal: {
      append: (entry) =>
        step("journal", () => {
          const same = (other: JournalEntry) =>
            other.resolution === entry.resolution && other.at === entry.at && other.instance === entry.instance;
          if (!journal.some(same)) journal.push(entry);
        }),
      read: (resolution, since) =>
        step("journal", () =>
          journal
            .filter((entry) => entry.resolution === resolution && entry.at >= since)
            .toSorted((a, b) => a.at - b.at || (a.instance < b.instance ? -1 : 1)),
        ),
      forget: (resolution, before) =>
        step("journal", () => {
          const kept = journal.filter((entry) => entry.resolution !== resolution || entry.at >= before);
          journal.splice(0, journal.length, ...kept);
        }),
    },
    leases: memoryLeases(name, step, scoped),
    registers: memoryRegisters(name, step, scoped),
    writes: newestWriteJournal(clock.now, step),
  };
}

/** Until the returned function is called, a transaction of the work is open: nobody takes the work over. */
function holdOpen(work: Work, effect: string): () => void {
  let settle = () => {};
  const settled = new Promise<void>((resolve) => {
    settle = resolve;
  });
  work.transactions.set(effect, settled);
  return () => {
    work.transactions.delete(effect);
    settle();
  };
}

function ignore(): void {}
