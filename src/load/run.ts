import { defaults } from "../base/defaults.ts";
import { isRepriseError, RepriseError } from "../base/errors.ts";
import { pause } from "../base/promise.ts";
import type { Grip } from "../contract/lease.ts";
import type { Lease } from "../lease/lease.ts";
import { type Taken, takeLease } from "../lease/take.ts";
import { addCounts, addsUp, noCounts, type WindowCounts } from "./counts.ts";
import type { Job } from "./dialect.ts";
import { type LoadHost, type LoadStores, sessionIn } from "./host.ts";
import { askedName, askedRange, cutWindows, type Prepared, prepare } from "./prepare.ts";
import { declaredPrint, foundPrint } from "./print.ts";
import { type RegisterNames, runKey } from "./record.ts";
import type { LoadRefusal } from "./refusal.ts";
import { type KeptRun, RunBook } from "./run-book.ts";
import type { LoadSettings } from "./settings.ts";
import type { LoadResult, RunOptions } from "./surface.ts";
import type { LoadRange, LoadWindow } from "./window.ts";

/** One load that may run: its declaration, and what it rests on. */
export interface Loading {
  readonly host: LoadHost;
  readonly settings: LoadSettings;
  readonly names: RegisterNames;
  readonly stores: LoadStores;
}

/** Runs under the load's lease, or walks away from whoever has it. */
export async function run(loading: Loading, options: RunOptions): Promise<LoadResult> {
  const { host, settings, names, stores } = loading;
  const asked = askedRange(settings, options);
  askedName(settings, options.run);
  const taken = await takeLease({
    ...{ clock: host.clock(), leases: stores.leases, name: names.load, holder: host.instance },
    ...{ operation: settings.name, leaseMs: settings.leaseMs, closing: host.closing },
  });
  if (taken.is === "held") return { status: "running", holder: taken.holder, forMs: taken.forMs };
  try {
    const result = await new Run(loading, asked, options, taken).all();
    // it is told to whoever called; that somebody else may read it later is worth no failure
    if (result.status === "refused") await new RunBook(stores.registers, names).refuse(result.because).catch(() => {});
    return result;
  } finally {
    await taken.giveBack();
  }
}

/** What the windows' transactions reject with to be rolled back: what another committed stays. */
const doneBefore = new Error("this window was done before");

class Run {
  readonly #loading: Loading;
  readonly #asked: LoadRange;
  readonly #options: RunOptions;
  readonly #lease: Lease;
  readonly #grip: Grip;
  readonly #book: RunBook;
  /** When this call looked, and none of its windows was done. */
  #targetWasEmpty = false;

  constructor(loading: Loading, asked: LoadRange, options: RunOptions, { lease, grip }: Taken) {
    this.#loading = loading;
    this.#asked = asked;
    this.#options = options;
    this.#lease = lease;
    this.#grip = grip;
    this.#book = new RunBook(loading.stores.registers, loading.names);
  }

  async all(): Promise<LoadResult> {
    const begun = await this.#begun();
    if ("because" in begun) return { status: "refused", because: begun.because };
    if (begun.job === null) return this.#ended(begun.kept, await this.#book.done(begun.kept));
    return this.#windows(begun.kept, begun.job);
  }

  /** Again where another was in the way, or nobody knows whether it was committed: then it is found, and goes on. */
  async #begun(): Promise<Begun> {
    const key = runKey(this.#asked, this.#options.run);
    const declared = declaredPrint(this.#loading.settings);
    for (let attempt = 1; ; attempt++) {
      try {
        const found = await this.#book.find(key);
        const isOver = found !== null && found.record.endedAt !== null;
        // what an orchestrator has named is the same run for ever, as long as it is to do the same
        const isSame = isOver && (found.record.print?.declared ?? declared) === declared;
        if (isSame && this.#options.run !== undefined) return { kept: found, job: null };
        return await this.#begin(key, declared, isOver ? null : found);
      } catch (error) {
        if (!this.#isPassing(error) || attempt >= defaults.load.attempts) throw error;
        await this.#waitAfter(attempt);
      }
    }
  }

  /**
   * Looks before anything is written, also where an unfinished run goes on: the source may be another by now. One that was
   * declared otherwise does not go on: its windows would be taken for done where these rows never came.
   */
  async #begin(key: string, declared: string, unfinished: KeptRun | null): Promise<Begun> {
    const { settings, host } = this.#loading;
    const goesOn = (job: Job) => {
      const print = unfinished?.record.print;
      return print?.declared === declared && print.found === foundPrint(job);
    };
    const looked = await this.#look(goesOn);
    this.#check();
    if ("because" in looked) return looked;
    const { prepared, windows } = looked;
    const { job, survey } = prepared;
    if (unfinished !== null && goesOn(job)) return { kept: unfinished, job };
    this.#targetWasEmpty = survey.targetIsEmpty;
    const place = await this.#book.place(key);
    const kept = await this.#fenced(async (tx) => {
      const begun = await this.#book.begin(tx, place, {
        run: this.#options.run ?? `${settings.name}#${place.number}`,
        key,
        range: this.#asked,
        startedAt: host.clock().now(),
        endedAt: null,
        rows: survey.rows,
        windows,
        print: { declared, found: foundPrint(job) },
      });
      if (begun === null) throw this.#replaced();
      return begun;
    }, defaults.load.windowMs);
    return { kept, job };
  }

  /** Windows are cut where no run goes on that has some. */
  async #look(goesOn: (job: Job) => boolean) {
    const { settings, stores } = this.#loading;
    return stores.sql.begin(async (tx) => {
      const session = sessionIn(stores, tx);
      const prepared = await prepare(stores.dialect, session, settings, this.#asked);
      if (prepared.is === "refused") return { because: prepared.because };
      if (goesOn(prepared.job)) return { prepared: prepared as Ready, windows: [] };
      const cut = await cutWindows(stores.dialect, session, settings, prepared);
      return "because" in cut ? cut : { prepared: prepared as Ready, windows: cut.windows };
    }, defaults.load.wholeMs);
  }

  async #windows(kept: KeptRun, job: Job): Promise<LoadResult> {
    const { windows } = kept.record;
    const done = new Map(await this.#book.done(kept));
    let committed = 0;
    for (const [index, window] of windows.entries()) {
      if (done.has(index)) continue;
      this.#check();
      const applied = await this.#window(kept, job, index, window);
      if ("because" in applied) return { status: "refused", because: applied.because };
      done.set(index, applied.counts);
      if (!applied.before) committed += 1;
      const skipped = done.size - committed;
      this.#options.progress?.({ done: committed, skipped, of: windows.length, counts: sum(done) });
    }
    this.#lease.check();
    await this.#book.end(kept, this.#loading.host.clock().now());
    await this.#book.sweep();
    return this.#ended(kept, done, committed);
  }

  /** Again where another was in the way, or nobody knows whether it was committed: its register knows. */
  async #window(
    kept: KeptRun,
    job: Job,
    index: number,
    window: LoadWindow,
  ): Promise<
    { readonly counts: WindowCounts; readonly before: boolean } | { readonly because: readonly LoadRefusal[] }
  > {
    const { dialect } = this.#loading.stores;
    for (let attempt = 1; ; attempt++) {
      try {
        if (attempt > 1) {
          const counts = await this.#book.windowDone(kept, index);
          if (counts !== null) return { counts, before: false };
        }
        return { counts: await this.#apply(kept, job, index, window), before: false };
      } catch (error) {
        if (error === doneBefore) {
          const counts = await this.#book.windowDone(kept, index);
          if (counts !== null) return { counts, before: true };
        } else if (dialect.mayBeRefused(error)) {
          const looked = await this.#look(() => true);
          if ("because" in looked) return looked;
        } else if (!this.#isPassing(error)) throw error;
        const mayStay = dialect.mayBeRefused(error) || dialect.isOtherKey?.(error, job) === true;
        if (attempt >= defaults.load[mayStay ? "fewAttempts" : "attempts"]) throw error;
        await this.#waitAfter(attempt);
      }
    }
  }

  async #waitAfter(attempt: number): Promise<void> {
    this.#check();
    const { least, most } = defaults.load.pauseMs;
    const ms = Math.min(least * 2 ** (attempt - 1), most);
    await pause(this.#loading.host.clock(), ms * (0.5 + Math.random() / 2), this.#ending);
  }

  /** @throws why nothing further may begin; a window that is under way is committed, if the lease is still there */
  #check(): void {
    this.#lease.check();
    this.#options.signal?.throwIfAborted();
  }

  get #ending(): AbortSignal {
    const { signal } = this.#options;
    const lost = this.#lease.losing.signal;
    return signal === undefined ? lost : AbortSignal.any([lost, signal]);
  }

  #isPassing(error: unknown): boolean {
    if (this.#loading.stores.dialect.isConflict(error)) return true;
    return isRepriseError(error) && passing.has(error.code);
  }

  /** One transaction: rows, then how far the run has come. */
  #apply(kept: KeptRun, job: Job, index: number, window: LoadWindow): Promise<WindowCounts> {
    const { settings, stores } = this.#loading;
    const { rows, windows } = kept.record;
    const hints = { rows: Math.ceil(rows / windows.length), targetWasEmpty: this.#targetWasEmpty };
    const mostMs = window.is === "whole" ? defaults.load.wholeMs : defaults.load.windowMs;
    return this.#fenced(async (tx) => {
      const counts = await stores.dialect.apply(sessionIn(stores, tx), job, window, hints);
      if (!addsUp(counts)) throw new RepriseError("REPRISE_LOAD_MISCOUNTED", { load: settings.name });
      if (!(await this.#book.writeWindow(tx, kept, index, counts, this.#grip.token))) throw doneBefore;
      return counts;
    }, mostMs);
  }

  /** A transaction that commits only under the lease. */
  #fenced<T>(work: (tx: unknown) => Promise<T>, statementMs: number): Promise<T> {
    const { sql, leases } = this.#loading.stores;
    return sql.begin(async (tx) => {
      const value = await work(tx);
      // whoever no longer works must not commit what somebody else may be at
      this.#lease.check();
      // last: until this transaction has ended, nobody takes the lease, so nobody waits for the work above
      if ((await leases.check?.(tx, this.#grip)) !== true) throw this.#replaced();
      return value;
    }, statementMs);
  }

  #replaced(): RepriseError {
    return new RepriseError("REPRISE_FENCED", { operation: this.#loading.settings.name });
  }

  #ended({ record }: KeptRun, done: ReadonlyMap<number, WindowCounts>, committed = 0): LoadResult {
    const counts = [...done.values()];
    const markRefused = counts.filter(({ lost, marked }) => lost > 0 && marked === 0).length;
    const windows = { done: committed, skipped: done.size - committed, of: record.windows.length, markRefused };
    return { status: "done", run: record.run, ...sum(done), windows };
  }
}

/** Without a job it is over already. */
type Begun = { readonly kept: KeptRun; readonly job: Job | null } | { readonly because: readonly LoadRefusal[] };

type Ready = Extract<Prepared, { readonly is: "ready" }>;

/** It did not answer, or said that it is busy: the same again may go through. */
const passing: ReadonlySet<string> = new Set([
  "REPRISE_LEDGER_AWAY",
  "REPRISE_LEDGER_BUSY",
  "REPRISE_RETRY_TRANSACTION",
]);

function sum(done: ReadonlyMap<number, WindowCounts>): WindowCounts {
  return [...done.values()].reduce(addCounts, noCounts);
}
