import type { Clock } from "../base/clock.ts";
import { defaults } from "../base/defaults.ts";
import { type Duration, milliseconds } from "../base/duration.ts";
import { isRepriseError, RepriseError } from "../base/errors.ts";
import { pause, withDeadline } from "../base/promise.ts";
import type { EffectRecord, Ledger, Won } from "../contract/ledger.ts";
import type { OperationCounters } from "./counters.ts";
import type { Cost } from "./declaration.ts";
import { telling } from "./doubt.ts";
import { insist } from "./insist.ts";
import type { Lease } from "./lease.ts";
import { Refusal } from "./outcome.ts";
import { type Answer, decodeAnswer, encodeAnswer, type Settlement } from "./record.ts";
import type { Work } from "./work.ts";

/** Ends a run whose effect is unknown: the work waits for a person. */
export class Parked extends Error {
  readonly effect: string;
  constructor(effect: string) {
    super(`'${effect}' is unknown`);
    this.effect = effect;
  }
}
/** Ends a run that came too early to believe that an effect never happened. */
export class AskLater extends Error {
  readonly afterMs: number;
  constructor(afterMs: number) {
    super("asked too early");
    this.afterMs = afterMs;
  }
}

/** What a question came to that was never answered. */
const unanswered = Symbol("unanswered");

/** An effect as it is declared at its call, its types erased. */
export interface EffectOptions {
  readonly run: (key: string, signal: AbortSignal) => Promise<unknown>;
  readonly ifUnknown: "retry" | "park" | ((key: string, signal: AbortSignal) => Promise<unknown>);
  readonly deadline?: Duration | undefined;
  readonly arrivesWithin?: Duration | undefined;
  /** Of an anchored transaction: for how long the other side honours the key. */
  readonly "~keptMs"?: number | undefined;
}

export interface EffectsOptions {
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

/** An outcome, and what is kept of it. */
export interface Ending {
  readonly settlement: Settlement;
  readonly rendered: string | null;
  readonly outcome: string;
}

/** Ends a run whose last transaction would have answered over an effect. */
export class PassedOver extends Error {}

/** The effects and transactions of one attempt. */
export interface Effects {
  readonly effect: (name: string, options: EffectOptions) => Promise<unknown>;
  readonly transaction: (
    work: (tx: unknown) => Promise<unknown>,
    options?: { readonly name?: string | undefined; readonly last?: boolean | undefined },
  ) => Promise<unknown>;
  /** What the last transaction has completed the work with; `undefined`: none has. */
  readonly concluded: () => Ending | undefined;
  /** The effects and transactions that this attempt visited. */
  readonly visited: () => readonly string[];
  /** One that is still under way, though the run has ended; waits for all of them. */
  readonly settle: () => Promise<string | undefined>;
}

export function createEffects(options: EffectsOptions): Effects {
  const { ledger, clock, work, won, lease } = options;
  const { operation } = work.about;
  const { fence } = won;
  const known = new Map(won.effects.map((record) => [record.effect, record]));
  const used = new Set<string>();
  const underWay = new Map<string, Promise<unknown>>();
  let openTransactions = 0;
  let ended = false;
  let concluded: Ending | undefined;

  const use = (name: string) => {
    checkName(name, operation);
    if (concluded !== undefined) throw afterLast(name, operation);
    if (ended) throw new RepriseError("REPRISE_EFFECT_NOT_AWAITED", { operation, effect: name });
    if (used.has(name)) throw new RepriseError("REPRISE_EFFECT_NAME_TWICE", { operation, effect: name });
    used.add(name);
    lease.check();
  };
  const fenced = (): never => {
    const error = new RepriseError("REPRISE_FENCED", { operation });
    lease.lose(error);
    throw error;
  };
  /** `perform` under a name of its own; settle() knows of it while it is under way. */
  const track = (name: string, perform: () => Promise<unknown>): Promise<unknown> => {
    const tracked = (async () => {
      use(name);
      const performed = perform();
      underWay.set(name, performed);
      try {
        return await performed;
      } finally {
        underWay.delete(name);
      }
    })();
    // the run may never await it; settle() reports that, an unhandled rejection would kill the process instead
    tracked.catch(() => {});
    return tracked;
  };
  const whileOpen = async (transact: () => Promise<unknown>): Promise<unknown> => {
    openTransactions += 1;
    try {
      return await transact();
    } finally {
      openTransactions -= 1;
    }
  };
  /** Gives the work to a person. */
  const park = async (effect: string, why: string): Promise<never> => {
    const parking = { effect, why, unlessAnswered: false };
    const left = await insist(clock, () => ledger.park(fence, parking), "while-busy");
    if (left === "fenced") fenced();
    throw new Parked(effect);
  };
  /** The same for an answer that is lost, unless whoever called has brought it meanwhile. */
  const parkUnanswered = async (name: string, effect: EffectOptions, why: string): Promise<unknown> => {
    const parking = { effect: name, why, unlessAnswered: true };
    const left = await insist(clock, () => ledger.park(fence, parking), "while-busy");
    if (left === "fenced") fenced();
    if (left === "answered") return perform(name, effect);
    throw new Parked(name);
  };

  /** What a pinned answer means to the run that asks for it. */
  const adopt = (name: string, text: string): unknown => {
    const answer = decodeAnswer(text);
    switch (answer.is) {
      case "value":
        return answer.value;
      case "refusal":
        throw new Refusal(answer.code, answer.detail);
      case "unstorable":
        return park(name, "its answer could not be stored");
    }
  };

  /** Keeps an answer. The first one stays; one that differs from it is evidence that the effect happened twice. */
  const pin = async (name: string, answer: Answer): Promise<void> => {
    const text = encodeAnswer(answer, `the answer of '${name}'`);
    const pinned = await insist(clock, () => ledger.pin(fence.id, name, text), "while-busy");
    if (pinned.is === "gone") fenced();
    if (pinned.is === "present" && pinned.answer !== text) {
      options.counters.answeredTwice += 1;
      throw new RepriseError("REPRISE_EFFECT_TWICE", { operation, effect: name });
    }
  };

  /** Pins what the other side said and tells it to the run. */
  const keep = async (name: string, answer: Answer): Promise<unknown> => {
    try {
      await pin(name, answer);
    } catch (error) {
      if (!isRepriseError(error, "REPRISE_NOT_STORABLE")) throw error;
      await pin(name, { is: "unstorable" });
      await park(name, "its answer could not be stored");
    }
    if (answer.is === "refusal") throw new Refusal(answer.code, answer.detail);
    return answer.is === "value" ? answer.value : undefined;
  };

  /** Calls the other side, and pins what it says. `sentAt`: from before the start was written. */
  const call = async (name: string, effect: EffectOptions, deadlineMs: number, sentAt: number): Promise<unknown> => {
    const late = () => new RepriseError("REPRISE_EFFECT_TIMEOUT", { operation, effect: name, afterMs: deadlineMs });
    const left = sentAt + deadlineMs - clock.monotonic();
    // a process that was paused since must not send: others count on this call having arrived by now, or never
    lease.check();
    if (left <= 0) throw late();
    const aborting = new AbortController();
    const abort = () => aborting.abort(lease.signal.reason);
    lease.signal.addEventListener("abort", abort, { once: true });

    const called = (async () => effect.run(work.effectKey(name), aborting.signal))();
    const answered = answerOf(called);
    let answer: Answer;
    try {
      answer = await withDeadline(clock, left, answered, late);
    } catch (error) {
      aborting.abort(error);
      // a late answer is evidence all the same: it spares a person the search
      if (isRepriseError(error, "REPRISE_EFFECT_TIMEOUT"))
        answered.then((evidence) => pin(name, evidence)).catch(() => {});
      if (effect.ifUnknown === "park") return await parkUnanswered(name, effect, "it failed without an answer");
      throw error;
    } finally {
      lease.signal.removeEventListener("abort", abort);
    }
    return keep(name, answer);
  };

  /** An effect that an earlier attempt started and whose answer nobody kept. */
  const resume = async (
    name: string,
    effect: EffectOptions,
    record: EffectRecord,
    timing: { readonly deadlineMs: number; readonly settleMs: number },
  ): Promise<unknown> => {
    if (effect.ifUnknown === "park") return parkUnanswered(name, effect, "an earlier attempt got no answer");
    // it may have committed as soon as it was started, and be swept by now: another one would happen twice
    if (clock.now() - record.startedAt >= (effect["~keptMs"] ?? Number.POSITIVE_INFINITY)) {
      return parkUnanswered(name, effect, "its anchor may have forgotten what became of it");
    }
    if (effect.ifUnknown !== "retry") {
      const answer = await ask(name, effect.ifUnknown);
      if (answer === unanswered) {
        return parkUnanswered(name, effect, "the other side did not say what became of it");
      }
      if (answer.is !== "value" || answer.value !== "never-happened") return keep(name, answer);
      // the starter may still be sending: its "no" would become a "yes" after ours
      if (record.settlesInMs > 0) throw new AskLater(record.settlesInMs);
    }
    const sentAt = clock.monotonic();
    const started = await ledger.restart(fence, { effect: name, settleMs: timing.settleMs });
    // pinned meanwhile by whoever called, or fenced: the ledger tells which
    return started ? call(name, effect, timing.deadlineMs, sentAt) : perform(name, effect);
  };

  const ask = async (
    name: string,
    question: Exclude<EffectOptions["ifUnknown"], string>,
  ): Promise<Answer | typeof unanswered> => {
    for (const waitMs of [0, ...defaults.operation.askPausesMs]) {
      if (waitMs > 0) await pause(clock, waitMs, lease.signal);
      lease.check();
      try {
        const { effectDeadlineMs: afterMs } = defaults.operation;
        const late = () => new RepriseError("REPRISE_EFFECT_TIMEOUT", { operation, effect: name, afterMs });
        const asked = answerOf((async () => question(work.effectKey(name), lease.signal))());
        return await withDeadline(clock, afterMs, asked, late);
      } catch {
        // asked again; in the end it is a person's
      }
    }
    return unanswered;
  };

  const perform = async (name: string, effect: EffectOptions): Promise<unknown> => {
    const where = `effect '${name}' of '${operation}'`;
    const deadlineMs =
      effect.deadline === undefined
        ? defaults.operation.effectDeadlineMs
        : milliseconds(effect.deadline, `${where}, deadline`);
    const flightMs =
      effect.arrivesWithin === undefined ? 0 : milliseconds(effect.arrivesWithin, `${where}, arrivesWithin`);
    const settleMs = deadlineMs + flightMs;

    const pinned = known.get(name)?.answer;
    if (pinned != null) return adopt(name, pinned);
    const sentAt = clock.monotonic();
    // absence in what the claim told is not believed: the insert decides, whatever an earlier attempt still does
    const started = await ledger.start(fence, { effect: name, settleMs });
    if (started.is === "fenced") return fenced();
    if (started.is === "started") return call(name, effect, deadlineMs, sentAt);
    if (started.record.answer !== null) return adopt(name, started.record.answer);
    return resume(name, effect, started.record, { deadlineMs, settleMs });
  };

  const checkTransactional = () => {
    if (ledger.transactional) return;
    throw new RepriseError("REPRISE_BAD_DECLARATION", {
      where: `operation '${operation}'`,
      why: `ledger '${ledger.name}' has no transactions.`,
      mend: "Use a ledger that has, or write through an effect.",
    });
  };

  const transact = async (name: string, body: (tx: unknown) => Promise<unknown>): Promise<unknown> => {
    const pinned = known.get(name)?.answer;
    if (pinned != null) return adopt(name, pinned);
    checkTransactional();
    const result = await telling(options.committed, () =>
      ledger.transact(fence, name, async (tx) => {
        const value = await body(tx);
        return { value, answer: encodeAnswer({ is: "value", value }, `the value of '${name}'`) };
      }),
    );
    if (result.is === "fenced") return fenced();
    options.committed();
    return result.is === "committed" ? result.value : adopt(name, result.answer);
  };

  /** The same with the outcome in its commit. What an earlier attempt did under its name without being the last, stands. */
  const conclude = async (name: string, body: (tx: unknown) => Promise<unknown>): Promise<unknown> => {
    const pinned = known.get(name)?.answer;
    if (pinned != null) return adopt(name, pinned);
    checkTransactional();
    const [forgotten] = [...underWay.keys()].filter((one) => one !== name);
    if (forgotten !== undefined) throw new RepriseError("REPRISE_EFFECT_NOT_AWAITED", { operation, effect: forgotten });
    // its own name is not among them: what stands under it was done by another attempt, and must not be done again
    const visited = [...used].filter((one) => one !== name);
    const result = await telling(options.committed, () =>
      ledger.conclude(fence, { keepMs: work.keepMs, visited }, async (tx) => {
        const ending = options.outcomeOf(await body(tx));
        return { value: ending, outcome: ending.outcome, refused: false };
      }),
    );
    if (result.is === "fenced") return fenced();
    if (result.is === "effects-differ") throw new PassedOver("the last transaction would answer over an effect");
    options.committed();
    concluded = result.value;
    return concluded.settlement.status === "done" ? concluded.settlement.value : undefined;
  };

  return {
    effect: (name, effect) =>
      track(name, async () => {
        // refused whenever a transaction is open, not only inside it: from here the two cannot be told apart
        if (openTransactions > 0) throw new RepriseError("REPRISE_EFFECT_IN_TRANSACTION", { operation, effect: name });
        checkEffect(name, effect, operation);
        if (ledger.losesCommits === true && options.cost === "money") checkHonoursKey(name, effect, operation, ledger);
        checkAnchorKeeps(name, effect, operation, work.keepMs);
        return effect["~keptMs"] === undefined ? perform(name, effect) : whileOpen(() => perform(name, effect));
      }),
    transaction: (body, { name = "transaction", last = false } = {}) =>
      track(name, () => whileOpen(() => (last ? conclude(name, body) : transact(name, body)))),
    concluded: () => concluded,
    visited: () => [...used],
    settle: async () => {
      const [forgotten] = underWay.keys();
      ended = true;
      await Promise.allSettled(underWay.values());
      return forgotten;
    },
  };
}

/** A store cuts or replaces such characters: two names would become one, and the second effect the first one's answer. */
const unkept = /[\p{Surrogate}\p{Control}]/u;

function checkName(name: unknown, operation: string): void {
  if (typeof name === "string" && name !== "" && name.length <= 200 && !unkept.test(name)) return;
  throw new RepriseError("REPRISE_BAD_DECLARATION", {
    where: `an effect or transaction of '${operation}'`,
    why: "its name is no text of 1 to 200 characters without control characters and lone surrogates.",
    mend: "Its record is found by it: choose a name in the code.",
  });
}

function afterLast(name: string, operation: string): RepriseError {
  return new RepriseError("REPRISE_BAD_DECLARATION", {
    where: `'${name}' of '${operation}'`,
    why: "it comes after the transaction that was declared last, which has completed the operation.",
    mend: "Do it before, or do not declare that transaction last.",
  });
}

/** What the compiler says of a call, for whoever has none. */
function checkEffect(name: string, effect: Partial<EffectOptions> | undefined, operation: string): void {
  const { run, ifUnknown } = effect ?? {};
  if (typeof run === "function" && (ifUnknown === "retry" || ifUnknown === "park" || typeof ifUnknown === "function"))
    return;
  throw new RepriseError("REPRISE_BAD_DECLARATION", {
    where: `effect '${name}' of '${operation}'`,
    why: "it lacks 'run' or 'ifUnknown'.",
    mend: "Say what is called, and what a rerun does when its answer was lost.",
  });
}

/**
 * A ledger that loses the record of a charge knows nothing of it: the charge runs again as new work, and only the other
 * side, by the key, can tell that it is the same.
 */
function checkHonoursKey(name: string, effect: EffectOptions, operation: string, ledger: Ledger<unknown>): void {
  if (effect.ifUnknown === "retry") return;
  throw new RepriseError("REPRISE_BAD_DECLARATION", {
    where: `effect '${name}' of '${operation}'`,
    why: `it costs money if it happens twice, and ledger '${ledger.name}' may lose what it acknowledged, so it may be called again as if it never was.`,
    mend: "Hand the key that 'run' is given to a side that honours it, and say ifUnknown: 'retry'; or use a ledger that loses nothing.",
  });
}

/** Work that is repeated within its retention must find what an anchor committed for it, also where its record was lost. */
function checkAnchorKeeps(name: string, effect: EffectOptions, operation: string, keepMs: number): void {
  if ((effect["~keptMs"] ?? keepMs) >= keepMs) return;
  throw new RepriseError("REPRISE_BAD_DECLARATION", {
    where: `effect '${name}' of '${operation}'`,
    why: "its anchor forgets it before the operation's retention is over.",
    mend: "Give the anchor at least the operation's retention.",
  });
}

/** What a call or a question ended with. A declared refusal is an answer; any other error is none. */
function answerOf(called: Promise<unknown>): Promise<Answer> {
  return called.then(
    (value): Answer => ({ is: "value", value }),
    (error: unknown): Answer => {
      if (error instanceof Refusal) return { is: "refusal", code: error.code, detail: error.detail };
      throw error;
    },
  );
}
