import { defaults } from "../base/defaults.ts";
import { RepriseError } from "../base/errors.ts";
import { withDeadline } from "../base/promise.ts";
import type { Resolution } from "../contract/journal.ts";
import type { Ledger } from "../contract/ledger.ts";
import type { Inside } from "./inside.ts";
import { type Snapshot, snapshot } from "./snapshot.ts";

/** A figure is not worth waiting longer for, least of all at the end. */
const writeDeadlineMs = 3_000;

/**
 * Writes this instance's counters where every instance's page reads them: fine every 10 s, coarse every 5 min, one entry
 * at the start and one, marked as the last, at `stop`. A ledger that is away costs entries, which stay a gap, and nothing
 * else: no work waits for the journal and no rejection leaves it.
 */
export function startJournal(inside: Inside, ledger: Ledger<unknown>): { readonly stop: () => Promise<void> } {
  const clock = inside.clock();
  const { journalFineMs, journalCoarseMs, journalFineKeptMs, journalCoarseKeptMs } = defaults.background;
  let stopped = false;
  let coarseDue = clock.monotonic();
  let cancel = () => {};

  const attempt = async (work: () => Promise<void>) => {
    try {
      await withDeadline(
        clock,
        writeDeadlineMs,
        work(),
        () => new RepriseError("REPRISE_LEDGER_AWAY", { ledger: ledger.name, doing: "writing figures" }),
      );
    } catch {
      // the ledger is away: this entry is lost, the next one carries the same counters further
    }
  };
  const append = (resolution: Resolution, taken: Snapshot) => {
    const { instance, at } = taken;
    return attempt(() => ledger.journal.append({ resolution, instance, at, body: JSON.stringify(taken) }));
  };

  const write = async (taken: Snapshot) => {
    await append("fine", taken);
    if (stopped || clock.monotonic() < coarseDue) return;
    coarseDue = clock.monotonic() + journalCoarseMs;
    await append("coarse", taken);
    const now = clock.now();
    if (!stopped) await attempt(() => ledger.journal.forget("fine", now - journalFineKeptMs));
    if (!stopped) await attempt(() => ledger.journal.forget("coarse", now - journalCoarseKeptMs));
  };

  let underWay = Promise.resolve();
  let lastAt = 0;
  const tick = () => {
    if (stopped) return;
    // the next is set before this one is written, so a slow ledger does not stretch the interval
    cancel = clock.timer(journalFineMs, tick);
    const taken = snapshot(inside);
    lastAt = taken.at;
    underWay = underWay.then(() => (stopped ? undefined : write(taken)));
  };
  tick();

  const end = async () => {
    const taken = snapshot(inside, true);
    // an instance has one entry of each instant, and the last one must not be taken for its forerunner
    const last = taken.at > lastAt ? taken : { ...taken, at: lastAt + 1 };
    await Promise.all([underWay, append("fine", last), append("coarse", last)]);
  };
  let ending: Promise<void> | undefined;
  return {
    stop: () => {
      stopped = true;
      cancel();
      ending ??= end();
      return ending;
    },
  };
}
