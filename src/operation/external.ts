import { Abortable } from "../base/abortable.ts";
import { defaults } from "../base/defaults.ts";
import { Ended } from "../base/ended.ts";
import { isRepriseError, RepriseError } from "../base/errors.ts";
import { insist } from "../base/insist.ts";
import { type Name, newAttemptId, type WorkId } from "../base/names.ts";
import type { Ledger, Won } from "../contract/ledger.ts";
import { Lease, leaseFrom } from "../lease/lease.ts";
import { telling } from "./doubt.ts";
import { Effects } from "./effects.ts";
import { AskLater, type Ending, labelOf, Parked, PassedOver } from "./endings.ts";
import type { Execution } from "./execution.ts";
import { encodeOutcome, type Settlement } from "./record.ts";
import { callRun, settle } from "./refusing.ts";
import { Run } from "./run.ts";
import { cancelled } from "./settings.ts";
import { soonestMs, type Told, tell, tellSettled, told } from "./told.ts";

/**
 * `effects: "external"`: the claim commits first; each effect is written down before it is called; the outcome commits
 * last. A crash in between leaves work whose lease ends, and a later attempt goes on from what is recorded.
 */
export async function executeExternal(execution: Execution): Promise<Told> {
  const { host, settings, work, ledger, counters } = execution;
  const clock = host.clock();
  const attempt = newAttemptId();
  const sentAt = clock.monotonic();
  // repeated under the same attempt: where the first answer was lost, the second says that it won
  const { name, key, parent, intent, print, keepMs, about } = work;
  const leaseMs = leaseFrom(sentAt, { leaseMs: settings.leaseMs, endsAt: execution.endsAt });
  const input = settings.resumesByItself ? work.kept() : null;
  const resuming = execution.resumed;
  const request = { name, key, parent, intent, print, keepMs, about, attempt, leaseMs, input, resuming };
  const ask = () => insist(clock, () => ledger.claim(request));
  // a completer goes on with what nobody is at, and takes no caller's answer for its own
  const { claim, isOwn } = resuming ? { claim: await ask(), isOwn: true } : await execution.looks.claim(work, ask);
  if (claim.is !== "won") return told(claim, { now: clock.now(), leaseMs: settings.leaseMs });
  if (!isOwn) return tell({ status: "running", since: new Date(clock.now()), retryAfterMs: soonestMs });
  if (claim.tookOver) counters.takenOver += 1;
  return new Attempt(execution, ledger, claim, sentAt).perform();
}

/** One won claim, from the run to its end. */
class Attempt {
  readonly #execution: Execution;
  readonly #ledger: Ledger<unknown>;
  readonly #won: Won;
  readonly #lease: Lease;
  readonly #effects: Effects;
  /** Aborted when nobody wants the work any more: its run ends it, effects and all, and keeps the lease meanwhile. */
  readonly #cancelling = new Abortable();
  readonly #ended = new Ended();

  constructor(execution: Execution, ledger: Ledger<unknown>, won: Won, sentAt: number) {
    const { host, settings, work, counters } = execution;
    const clock = host.clock();
    this.#execution = execution;
    this.#ledger = ledger;
    this.#won = won;
    this.#lease = new Lease({
      clock,
      operation: settings.name,
      leaseMs: settings.leaseMs,
      sentAt,
      endsAt: execution.endsAt,
      renew: (progress, leaseMs) => ledger.renew(won.fence, leaseMs, progress),
      cancelled: () => this.cancel(),
      closing: host.closing,
    });
    const committed = () => host.committed(settings.name, work.input);
    const cost = settings.declaration.costIfTwice;
    this.#effects = new Effects({
      ledger,
      clock,
      work,
      won,
      lease: this.#lease,
      cost,
      committed,
      counters,
      outcomeOf: (value) => this.#endingOf({ status: "done", value }),
    });
  }

  get id(): WorkId {
    return this.#won.fence.id;
  }

  get name(): Name {
    return this.#won.fence.name;
  }

  ended(): Promise<void> {
    return this.#ended.promise();
  }

  cancel(): void {
    this.#cancelling.abort(new RepriseError("REPRISE_CANCELLED", { operation: this.#execution.settings.name }));
  }

  async perform(): Promise<Told> {
    const { settings, owned } = this.#execution;
    const leave = owned.add(this);
    if (this.#won.cancelled) this.cancel();
    try {
      // the instance may have closed while the claim was under way
      this.#lease.check();
      if (this.#cancelling.reason !== undefined) throw this.#cancelling.reason;
      const settlement = await settle(() => this.#run());
      const forgotten = await this.#effects.settle();
      if (forgotten !== undefined) {
        throw new RepriseError("REPRISE_EFFECT_NOT_AWAITED", { operation: settings.name, effect: forgotten });
      }
      const { concluded } = this.#effects;
      if (concluded !== undefined) return this.#tellConcluded(concluded, settlement);
      return await this.#complete(settlement, this.#effects.visited());
    } catch (error) {
      return await this.#fail(error);
    } finally {
      leave();
      this.#lease.stop();
      this.#ended.tell();
    }
  }

  #run(): Promise<unknown> {
    const execute = this.#execution.settings.declaration.run as (run: Run) => Promise<unknown>;
    const run = new Run(this.#execution, this.#effects, this.#report, [this.#lease.losing, this.#cancelling]);
    return callRun(() => execute(run));
  }

  readonly #report = (done: number, total?: number): void => {
    for (const count of [done, total ?? 0]) {
      if (Number.isFinite(count) && count >= 0) continue;
      throw new RepriseError("REPRISE_BAD_DECLARATION", {
        where: `the progress of '${this.#execution.settings.name}'`,
        why: "it is no number from 0 on.",
        mend: "Count what is done, and what there is in all where that is known.",
      });
    }
    this.#lease.report({ done, total: total ?? null });
  };

  #endingOf(settlement: Settlement): Ending {
    const { settings, render } = this.#execution;
    const rendered = render(settlement);
    return { settlement, rendered, outcome: encodeOutcome(settings, settlement, rendered) };
  }

  /** The last transaction has completed the work. Whoever returns something else would tell it to nobody. */
  #tellConcluded({ settlement, rendered }: Ending, returned: Settlement): Told {
    const { host, settings } = this.#execution;
    const isTold =
      returned.status === "done" && settlement.status === "done" && Object.is(returned.value, settlement.value);
    if (!isTold) {
      throw new RepriseError("REPRISE_BAD_DECLARATION", {
        where: `operation '${settings.name}'`,
        why: "its run ended with something else than its last transaction, which has completed it.",
        mend: "Return what that transaction returns: it is the outcome.",
      });
    }
    return tellSettled(settlement, { replayed: false, at: host.clock().now() }, rendered);
  }

  /** `visited`: what of its effects and transactions it knows. */
  async #complete(settlement: Settlement, visited: readonly string[]): Promise<Told> {
    const { host, settings, work } = this.#execution;
    const clock = host.clock();
    const { rendered, outcome } = this.#endingOf(settlement);
    const refused = settlement.status === "refused";
    const completion = { outcome, refused, keepMs: settings.retentionMs, visited };
    const committed = () => host.committed(settings.name, work.input);
    const completed = await telling(committed, () =>
      insist(clock, () => this.#ledger.complete(this.#won.fence, completion), "while-busy"),
    );
    switch (completed) {
      case "done":
        committed();
        return tellSettled(settlement, { replayed: false, at: clock.now() }, rendered);
      case "fenced":
        throw new RepriseError("REPRISE_FENCED", { operation: settings.name });
      case "effects-differ":
        return await this.#parkPassedOver(visited);
    }
  }

  /**
   * Its outcome would answer over an effect that is open, or that this attempt did not visit: an error was swallowed, the
   * code changed, or it refuses although an earlier attempt did something. That is a person's to judge.
   */
  async #parkPassedOver(visited: readonly string[]): Promise<Told> {
    const history = await this.#ledger.history(this.#won.fence.id);
    const passedOver = history?.effects.find(({ effect, state }) => state === "started" || !visited.includes(effect));
    const effect = passedOver?.effect ?? "(completion)";
    const why =
      passedOver?.state === "started"
        ? "the run ended without its answer"
        : "it happened, and the run did not visit it";
    return await this.#park(
      effect,
      this.#cancelling.reason !== undefined ? "cancelled after something of it happened" : why,
    );
  }

  async #park(effect: string, why: string): Promise<never> {
    const { host, settings } = this.#execution;
    const parking = { effect, why, unlessAnswered: false };
    const parked = await insist(host.clock(), () => this.#ledger.park(this.#won.fence, parking), "while-busy");
    if (parked === "fenced") throw new RepriseError("REPRISE_FENCED", { operation: settings.name });
    throw new Parked(effect);
  }

  /** Whether a failure is the last: nobody wants the work, or it has failed as often as it may. */
  #mayEnd(error: unknown): boolean {
    if (this.#lease.losing.reason !== undefined) return false;
    if (this.#cancelling.reason !== undefined) return true;
    const isPoisoned = this.#execution.resumed && this.#won.resumes >= defaults.operation.resumeAttempts;
    return isPoisoned && !(error instanceof AskLater);
  }

  /** Ends work that failed for the last time: as cancelled where nothing of it has happened, else a person decides. */
  async #end(error: unknown): Promise<Told> {
    try {
      if (this.#cancelling.reason === undefined) return await this.#park("(run)", labelOf(error) ?? "it never ended");
      return await this.#complete({ status: "refused", code: cancelled, detail: undefined }, []);
    } catch (ending) {
      // of any other error: the lease ends by itself, and the next claim comes to the same end
      if (!(ending instanceof Parked)) throw ending;
      return this.#tellParked(ending);
    }
  }

  #tellParked({ effect }: Parked): Told {
    const { host, settings, work } = this.#execution;
    host.committed(settings.name, work.input);
    return tell({ status: "unknown", effect, since: new Date(host.clock().now()) });
  }

  /** The ledger decides what an attempt that failed leaves behind, never this process's memory. */
  async #fail(error: unknown): Promise<Told> {
    const { host, settings, work, resumed } = this.#execution;
    const clock = host.clock();
    await this.#effects.settle();
    // the work is done, whatever came after; its next caller is told that
    if (this.#effects.concluded !== undefined) throw error;
    if (error instanceof Parked) return this.#tellParked(error);
    if (error instanceof PassedOver)
      return this.#parkPassedOver(this.#effects.visited()).catch((parked) => this.#fail(parked));
    if (this.#mayEnd(error)) return await this.#end(error);
    const afterMs = error instanceof AskLater ? error.afterMs : 0;
    // a completer must not spin on work that fails at once
    const notBeforeMs = resumed ? Math.max(afterMs, 1_000 * 2 ** Math.min(this.#won.resumes, 8)) : afterMs;
    // what a completer goes on with stays, also where nothing happened yet: nobody else may ever come for it
    const release = { keep: resumed, notBeforeMs, error: labelOf(error) };
    try {
      const left = await insist(clock, () => this.#ledger.release(this.#won.fence, release));
      if (left === "fenced") {
        const found = await this.#ledger.find(work);
        if (found !== null && found.is !== "open") return told(found, { now: clock.now(), leaseMs: settings.leaseMs });
      }
    } catch (releasing) {
      // the lease ends by itself; the run's own error says more than the ledger's absence
      if (!isRepriseError(releasing)) throw releasing;
    }
    if (error instanceof AskLater) {
      return tell({ status: "running", since: new Date(clock.now()), retryAfterMs: error.afterMs });
    }
    throw error;
  }
}
