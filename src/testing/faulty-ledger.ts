import { RepriseError } from "../base/errors.ts";
import type { Ledger } from "../contract/ledger.ts";

export type LedgerMethod = Exclude<
  {
    [K in keyof Ledger<unknown>]-?: Ledger<unknown>[K] extends (...args: never[]) => unknown ? K : never;
  }[keyof Ledger<unknown>],
  "~tx"
>;

/**
 * A ledger that a test can hold up, cut off or make forget its answer, at a chosen call: races are forced, not slept for.
 * What it keeps beside the work (journals, leases, registers) is passed on as it is: neither counted nor held up.
 */
export interface FaultyLedger<Tx> {
  /** Give this one to what is tested. */
  readonly ledger: Ledger<Tx>;
  /** How often the method was called. */
  readonly calls: (method: LedgerMethod) => number;
  /** Holds a call, `before` it happens (the default) or `after` it, with its answer withheld. */
  readonly block: (method: LedgerMethod, options?: { readonly when?: "before" | "after" } & Nth) => Gate;
  /** Rejects a call, which does not happen. Default error: `REPRISE_LEDGER_AWAY`. */
  readonly fail: (method: LedgerMethod, options?: { readonly error?: unknown } & Nth) => void;
  /** Lets a call happen and rejects all the same: its answer is lost. Default error: `REPRISE_LEDGER_AWAY`. */
  readonly lose: (method: LedgerMethod, options?: { readonly error?: unknown } & Nth) => void;
}

/** Which call, counted from now. Default: 1, the next. */
interface Nth {
  readonly call?: number;
}

export interface Gate {
  /** Resolves when the call has arrived. */
  readonly reached: Promise<void>;
  /** Lets the call go on. */
  readonly open: () => void;
}

interface Fault {
  readonly at: number;
  readonly before: () => Promise<void>;
  readonly after: () => Promise<void>;
}

/**
 * @example
 * const faulty = faultyLedger(memoryLedger({ clock }));
 * const gate = faulty.block("complete");
 * const first = book.execute(input);
 * await gate.reached; // the work is done, its outcome is not stored
 */
export function faultyLedger<Tx>(ledger: Ledger<Tx>): FaultyLedger<Tx> {
  const counts = new Map<LedgerMethod, number>();
  const faults = new Map<LedgerMethod, Fault[]>();

  const through = async <T>(method: LedgerMethod, call: () => Promise<T>): Promise<T> => {
    const nth = (counts.get(method) ?? 0) + 1;
    counts.set(method, nth);
    const due = (faults.get(method) ?? []).filter((fault) => fault.at === nth);
    for (const fault of due) await fault.before();
    const answer = await call();
    for (const fault of due) await fault.after();
    return answer;
  };

  const plan = (method: LedgerMethod, { call = 1 }: Nth, fault: Partial<Fault>) => {
    const planned = { at: (counts.get(method) ?? 0) + call, before: nothing, after: nothing, ...fault };
    faults.set(method, [...(faults.get(method) ?? []), planned]);
  };

  const rejecting = (method: LedgerMethod, options: { readonly error?: unknown }) => async () => {
    throw options.error ?? new RepriseError("REPRISE_LEDGER_AWAY", { ledger: ledger.name, doing: method });
  };

  return {
    calls: (method) => counts.get(method) ?? 0,
    block: (method, options = {}) => {
      let arrive = () => {};
      let open = () => {};
      const reached = new Promise<void>((resolve) => {
        arrive = resolve;
      });
      const opened = new Promise<void>((resolve) => {
        open = resolve;
      });
      const hold = () => {
        arrive();
        return opened;
      };
      plan(method, options, options.when === "after" ? { after: hold } : { before: hold });
      return { reached, open };
    },
    fail: (method, options = {}) => plan(method, options, { before: rejecting(method, options) }),
    lose: (method, options = {}) => plan(method, options, { after: rejecting(method, options) }),
    ledger: {
      name: ledger.name,
      transactional: ledger.transactional,
      losesCommits: ledger.losesCommits,
      forgets: ledger.forgets,
      open: () => through("open", () => ledger.open()),
      close: () => through("close", () => ledger.close()),
      claim: (request) => through("claim", () => ledger.claim(request)),
      find: (request) => through("find", () => ledger.find(request)),
      renew: (fence, leaseMs, progress) => through("renew", () => ledger.renew(fence, leaseMs, progress)),
      accept: (request) => through("accept", () => ledger.accept(request)),
      acceptIn: (tx, request) => through("acceptIn", () => ledger.acceptIn(tx, request)),
      standing: (id) => through("standing", () => ledger.standing(id)),
      start: (fence, effect) => through("start", () => ledger.start(fence, effect)),
      restart: (fence, effect) => through("restart", () => ledger.restart(fence, effect)),
      pin: (id, effect, answer) => through("pin", () => ledger.pin(id, effect, answer)),
      complete: (fence, completion) => through("complete", () => ledger.complete(fence, completion)),
      release: (fence, release) => through("release", () => ledger.release(fence, release)),
      park: (fence, parking) => through("park", () => ledger.park(fence, parking)),
      transaction: (work) => through("transaction", () => ledger.transaction(work)),
      conclude: (fence, concluding, work) => through("conclude", () => ledger.conclude(fence, concluding, work)),
      transact: (fence, effect, work) => through("transact", () => ledger.transact(fence, effect, work)),
      atomic: (request, work) => through("atomic", () => ledger.atomic(request, work)),
      join: (tx, request, work) => through("join", () => ledger.join(tx, request, work)),
      abandoned: (query) => through("abandoned", () => ledger.abandoned(query)),
      parkStalled: (work, why) => through("parkStalled", () => ledger.parkStalled(work, why)),
      parkAbandoned: (queries) => through("parkAbandoned", () => ledger.parkAbandoned(queries)),
      sweep: (limit) => through("sweep", () => ledger.sweep(limit)),
      intervene: (id, intervention, note) => through("intervene", () => ledger.intervene(id, intervention, note)),
      recent: (query) => through("recent", () => ledger.recent(query)),
      history: (id) => through("history", () => ledger.history(id)),
      twice: (query) => through("twice", () => ledger.twice(query)),
      successes: ledger.successes,
      journal: ledger.journal,
      writes: ledger.writes,
      leases: ledger.leases,
      registers: ledger.registers,
      sql: ledger.sql,
      schema: ledger.schema,
    },
  };
}

async function nothing(): Promise<void> {}
