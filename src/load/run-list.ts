import { defaults } from "../base/defaults.ts";
import type { LeaseStore } from "../contract/lease.ts";
import { addCounts, noCounts } from "./counts.ts";
import type { KeptRun, KeptWindow, RunBook } from "./run-book.ts";
import type { LastRefusal, LoadRun } from "./surface.ts";

/** What is known of a run's windows, which are only ever added to. */
interface Seen {
  readonly windows: Map<number, KeptWindow>;
  /** The name of the last register that was read. */
  after: string | null;
}

/**
 * The newest runs of a load, for whoever looks again and again: of a run only those windows are read that were committed
 * since the last look, for a call commits them in their order.
 */
export class RunList {
  readonly #book: RunBook;
  readonly #leases: LeaseStore<unknown>;
  readonly #lease: string;
  readonly #seen = new Map<number, Seen>();

  constructor(book: RunBook, leases: LeaseStore<unknown>, lease: string) {
    this.#book = book;
    this.#leases = leases;
    this.#lease = lease;
  }

  async refusal(): Promise<LastRefusal | null> {
    const kept = await this.#book.refusal();
    if (kept === null) return null;
    const [newest] = await this.#book.newest(1);
    return newest !== undefined && newest.record.startedAt > kept.at
      ? null
      : { at: new Date(kept.at), because: kept.because };
  }

  async newest(limit: number): Promise<readonly LoadRun[]> {
    // before the runs: of one that ended meanwhile its end is seen
    const standing = await this.#leases.look(this.#lease);
    const isHeld = standing !== null && (standing.forMs === null || standing.forMs > 0);
    const found: { readonly kept: KeptRun; readonly windows: ReadonlyMap<number, KeptWindow> }[] = [];
    for (const kept of await this.#book.newest(limit)) found.push({ kept, windows: await this.#windows(kept) });
    this.#forget(new Set(found.map(({ kept }) => kept.number)));

    const unfinished = found.filter(({ kept }) => kept.record.endedAt === null);
    const isAtIt = ({ windows }: (typeof found)[number]) => lastToken(windows) === standing?.token;
    // one that has not committed a window yet is the newest
    const running = isHeld ? (unfinished.find(isAtIt) ?? unfinished[0]) : undefined;
    return found.map((one) => {
      const { record } = one.kept;
      const isRunning = one === running;
      return {
        ...{ run: record.run, from: record.range.from, to: record.range.to, startedAt: new Date(record.startedAt) },
        endedAt: record.endedAt === null ? null : new Date(record.endedAt),
        is: record.endedAt !== null ? "done" : isRunning ? "running" : "unfinished",
        holder: isRunning ? (standing?.holder ?? null) : null,
        rows: record.rows,
        counts: [...one.windows.values()].map(({ counts }) => counts).reduce(addCounts, noCounts),
        windows: windowsOf(one.kept, one.windows, isRunning ? (standing?.token ?? null) : lastToken(one.windows)),
      };
    });
  }

  async #windows(kept: KeptRun): Promise<ReadonlyMap<number, KeptWindow>> {
    const seen = this.#seen.get(kept.number) ?? { windows: new Map<number, KeptWindow>(), after: null };
    const { record } = kept;
    if (seen.windows.size === record.windows.length) return seen.windows;
    for (const window of await this.#book.windows(kept, seen.after)) {
      seen.windows.set(window.index, window);
      seen.after = window.name;
    }
    this.#seen.set(kept.number, seen);
    return seen.windows;
  }

  /** Of those that are listed no more: a page that is open for weeks holds no more than one that was opened now. */
  #forget(listed: ReadonlySet<number>): void {
    for (const number of this.#seen.keys()) {
      if (this.#seen.size <= defaults.load.runsListed) return;
      if (!listed.has(number)) this.#seen.delete(number);
    }
  }
}

function windowsOf({ record }: KeptRun, done: ReadonlyMap<number, KeptWindow>, call: number | null) {
  return record.windows.map((window, index) => {
    const { from, to } = window.is === "range" ? window : { from: null, to: null };
    const kept = done.get(index);
    return {
      ...{ from, to, counts: kept?.counts ?? null, doneAt: kept === undefined ? null : new Date(kept.at) },
      skipped: kept !== undefined && kept.token !== null && kept.token !== call,
    };
  });
}

function lastToken(windows: ReadonlyMap<number, KeptWindow>): number | null {
  const tokens = [...windows.values()].flatMap(({ token }) => token ?? []);
  return tokens.length === 0 ? null : tokens.reduce((a, b) => Math.max(a, b));
}
