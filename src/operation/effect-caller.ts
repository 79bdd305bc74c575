import type { Clock } from "../base/clock.ts";
import { defaults } from "../base/defaults.ts";
import { type Duration, milliseconds } from "../base/duration.ts";
import { isRepriseError, RepriseError } from "../base/errors.ts";
import { insist } from "../base/insist.ts";
import { pause, withDeadline } from "../base/promise.ts";
import type { EffectRecord, Ledger, Won } from "../contract/ledger.ts";
import type { Lease } from "../lease/lease.ts";
import type { OperationCounters } from "./counters.ts";
import type { Cost } from "./declaration.ts";
import { AskLater, type Ending, Parked } from "./endings.ts";
import { Refusal } from "./outcome.ts";
import { type Answer, decodeAnswer, encodeAnswer } from "./record.ts";
import type { Work } from "./work.ts";

/** An effect as it is declared at its call, its types erased. */
export interface EffectOptions {
  readonly run: (key: string, signal: AbortSignal) => Promise<unknown>;
  readonly ifUnknown: "retry" | "park" | ((key: string, signal: AbortSignal) => Promise<unknown>);
  readonly deadline?: Duration | undefined;
  readonly arrivesWithin?: Duration | undefined;
  /** Of an anchored transaction: for how long the other side honours the key. */
  readonly "~keptMs"?: number | undefined;
  /** Of a value that is pinned without a call: one that differs from the first is no sign of anything, and the first is told. */
  readonly "~firstStays"?: boolean | undefined;
}

/** The attempt that effects and transactions are part of. */
export interface Attempting {
  readonly ledger: Ledger<unknown>;
  readonly clock: Clock;
  readonly work: Work;
  readonly won: Won;
  readonly lease: Lease;
  /** What it costs if the operation runs twice, where that is declared. */
  readonly cost: Cost | undefined;
  readonly committed: () => void;
  readonly counters: OperationCounters;
  /** The outcome that a value would be, as it is kept. */
  readonly outcomeOf: (value: unknown) => Ending;
}

/** How long an effect may take. */
interface Timing {
  readonly deadlineMs: number;
  /** Until a call that was given up can no longer arrive at the other side. */
  readonly settleMs: number;
}

/** What a question came to that was never answered. */
const unanswered = Symbol("unanswered");
const nothing: ReadonlyMap<string, EffectRecord> = new Map();

/** Performs the effects of one attempt: written down, called, pinned; or what the ledger knows of an earlier attempt's. */
export class EffectCaller {
  readonly #attempting: Attempting;
  readonly #operation: string;
  readonly #known: ReadonlyMap<string, EffectRecord>;

  constructor(attempting: Attempting) {
    const { won, work } = attempting;
    this.#attempting = attempting;
    this.#operation = work.about.operation;
    this.#known = won.effects.length === 0 ? nothing : new Map(won.effects.map((record) => [record.effect, record]));
  }

  /** What an earlier attempt had pinned when the work was claimed; `null`: nothing. */
  pinned(name: string): string | null {
    return this.#known.get(name)?.answer ?? null;
  }

  async perform(name: string, effect: EffectOptions): Promise<unknown> {
    const { ledger, clock, won } = this.#attempting;
    const timing = timingOf(effect, name, this.#operation);
    const pinned = this.pinned(name);
    if (pinned !== null) return this.adopt(name, pinned);
    const sentAt = clock.monotonic();
    // absence in what the claim told is not believed: the insert decides, whatever an earlier attempt still does
    const started = await ledger.start(won.fence, { effect: name, settleMs: timing.settleMs });
    if (started.is === "fenced") return this.fenced();
    if (started.is === "started") return this.#call(name, effect, timing.deadlineMs, sentAt);
    if (started.record.answer !== null) return this.adopt(name, started.record.answer);
    return this.#resume(name, effect, started.record, timing);
  }

  /** What a pinned answer means to the run that asks for it. */
  adopt(name: string, text: string): unknown {
    const answer = decodeAnswer(text);
    switch (answer.is) {
      case "value":
        return answer.value;
      case "refusal":
        throw new Refusal(answer.code, answer.detail);
      case "unstorable":
        return this.#park(name, "its answer could not be stored");
    }
  }

  fenced(): never {
    const error = new RepriseError("REPRISE_FENCED", { operation: this.#operation });
    this.#attempting.lease.lose(error);
    throw error;
  }

  /** Calls the other side, and pins what it says. `sentAt`: from before the start was written. */
  async #call(name: string, effect: EffectOptions, deadlineMs: number, sentAt: number): Promise<unknown> {
    const { clock, lease, work } = this.#attempting;
    const late = () =>
      new RepriseError("REPRISE_EFFECT_TIMEOUT", { operation: this.#operation, effect: name, afterMs: deadlineMs });
    const left = sentAt + deadlineMs - clock.monotonic();
    // a process that was paused since must not send: others count on this call having arrived by now, or never
    lease.check();
    if (left <= 0) throw late();
    const aborting = new AbortController();
    const ignoreLosing = lease.losing.onAbort((reason) => aborting.abort(reason));

    const answered = answerOf(() => effect.run(work.effectKey(name), aborting.signal));
    let answer: Answer;
    try {
      answer = await withDeadline(clock, left, answered, late);
    } catch (error) {
      aborting.abort(error);
      // a late answer is evidence all the same: it spares a person the search
      if (isRepriseError(error, "REPRISE_EFFECT_TIMEOUT"))
        answered.then((evidence) => this.#pin(name, effect, evidence)).catch(() => {});
      if (effect.ifUnknown === "park") return await this.#parkUnanswered(name, effect, "it failed without an answer");
      throw error;
    } finally {
      ignoreLosing();
    }
    return this.#keep(name, effect, answer);
  }

  /** An effect that an earlier attempt started and whose answer nobody kept. */
  async #resume(name: string, effect: EffectOptions, record: EffectRecord, timing: Timing): Promise<unknown> {
    const { ledger, clock, won } = this.#attempting;
    if (effect.ifUnknown === "park") return this.#parkUnanswered(name, effect, "an earlier attempt got no answer");
    // it may have committed as soon as it was started, and be swept by now: another one would happen twice
    if (clock.now() - record.startedAt >= (effect["~keptMs"] ?? Number.POSITIVE_INFINITY)) {
      return this.#parkUnanswered(name, effect, "its anchor may have forgotten what became of it");
    }
    if (effect.ifUnknown !== "retry") {
      const answer = await this.#ask(name, effect.ifUnknown);
      if (answer === unanswered) {
        return this.#parkUnanswered(name, effect, "the other side did not say what became of it");
      }
      if (answer.is !== "value" || answer.value !== "never-happened") return this.#keep(name, effect, answer);
      // the starter may still be sending: its "no" would become a "yes" after ours
      if (record.settlesInMs > 0) throw new AskLater(record.settlesInMs);
    }
    const sentAt = clock.monotonic();
    const started = await ledger.restart(won.fence, { effect: name, settleMs: timing.settleMs });
    // pinned meanwhile by whoever called, or fenced: the ledger tells which
    return started ? this.#call(name, effect, timing.deadlineMs, sentAt) : this.perform(name, effect);
  }

  async #ask(name: string, question: Exclude<EffectOptions["ifUnknown"], string>): Promise<Answer | typeof unanswered> {
    const { clock, lease, work } = this.#attempting;
    for (const waitMs of [0, ...defaults.operation.askPausesMs]) {
      if (waitMs > 0) await pause(clock, waitMs, lease.losing.signal);
      lease.check();
      try {
        const { effectDeadlineMs: afterMs } = defaults.operation;
        const late = () =>
          new RepriseError("REPRISE_EFFECT_TIMEOUT", { operation: this.#operation, effect: name, afterMs });
        const asked = answerOf(() => question(work.effectKey(name), lease.losing.signal));
        return await withDeadline(clock, afterMs, asked, late);
      } catch {
        // asked again; in the end it is a person's
      }
    }
    return unanswered;
  }

  /** Pins what the other side said and tells it to the run. */
  async #keep(name: string, effect: EffectOptions, answer: Answer): Promise<unknown> {
    try {
      const first = await this.#pin(name, effect, answer);
      if (first !== null) return this.adopt(name, first);
    } catch (error) {
      if (!isRepriseError(error, "REPRISE_NOT_STORABLE")) throw error;
      await this.#pin(name, effect, { is: "unstorable" });
      await this.#park(name, "its answer could not be stored");
    }
    if (answer.is === "refusal") throw new Refusal(answer.code, answer.detail);
    return answer.is === "value" ? answer.value : undefined;
  }

  /**
   * Keeps an answer. The first one stays; one that differs from it is evidence that the effect happened twice. Told is the
   * first one, where that is to be adopted.
   */
  async #pin(name: string, effect: EffectOptions, answer: Answer): Promise<string | null> {
    const { ledger, clock, won, counters } = this.#attempting;
    const text = encodeAnswer(answer, `the answer of '${name}'`);
    const pinned = await insist(clock, () => ledger.pin(won.fence.id, name, text), "while-busy");
    if (pinned.is === "gone") this.fenced();
    if (pinned.is === "present" && pinned.answer !== text) {
      if (effect["~firstStays"] === true) return pinned.answer;
      counters.answeredTwice += 1;
      throw new RepriseError("REPRISE_EFFECT_TWICE", { operation: this.#operation, effect: name });
    }
    return null;
  }

  /** Gives the work to a person. */
  async #park(name: string, why: string): Promise<never> {
    const { ledger, clock, won } = this.#attempting;
    const parking = { effect: name, why, unlessAnswered: false };
    const left = await insist(clock, () => ledger.park(won.fence, parking), "while-busy");
    if (left === "fenced") this.fenced();
    throw new Parked(name);
  }

  /** The same for an answer that is lost, unless whoever called has brought it meanwhile. */
  async #parkUnanswered(name: string, effect: EffectOptions, why: string): Promise<unknown> {
    const { ledger, clock, won } = this.#attempting;
    const parking = { effect: name, why, unlessAnswered: true };
    const left = await insist(clock, () => ledger.park(won.fence, parking), "while-busy");
    if (left === "fenced") this.fenced();
    if (left === "answered") return this.perform(name, effect);
    throw new Parked(name);
  }
}

function timingOf({ deadline, arrivesWithin }: EffectOptions, name: string, operation: string): Timing {
  const where = () => `effect '${name}' of '${operation}'`;
  const { effectDeadlineMs } = defaults.operation;
  const deadlineMs = deadline === undefined ? effectDeadlineMs : milliseconds(deadline, `${where()}, deadline`);
  const flightMs = arrivesWithin === undefined ? 0 : milliseconds(arrivesWithin, `${where()}, arrivesWithin`);
  return { deadlineMs, settleMs: deadlineMs + flightMs };
}

/** What a call or a question ended with. A declared refusal is an answer; any other error is none. */
async function answerOf(call: () => Promise<unknown>): Promise<Answer> {
  try {
    return { is: "value", value: await call() };
  } catch (error) {
    if (error instanceof Refusal) return { is: "refusal", code: error.code, detail: error.detail };
    throw error;
  }
}
