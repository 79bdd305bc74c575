import { RepriseError } from "../base/errors.ts";
import { checkAnchorKeeps, checkEffect, checkHonoursKey, checkName, checkTransactional } from "./check-effect.ts";
import { telling } from "./doubt.ts";
import { type Attempting, EffectCaller, type EffectOptions } from "./effect-caller.ts";
import { type Ending, PassedOver } from "./endings.ts";
import { encodeAnswer } from "./record.ts";

type Transaction = (tx: unknown) => Promise<unknown>;
type PinOptions = Partial<Pick<EffectOptions, "ifUnknown" | "deadline" | "arrivesWithin">>;

/** The effects and transactions of one attempt, each under a name of its own. */
export class Effects {
  readonly #attempting: Attempting;
  readonly #operation: string;
  readonly #caller: EffectCaller;
  readonly #used = new Set<string>();
  readonly #underWay = new Map<string, Promise<unknown>>();
  #openTransactions = 0;
  #ended = false;
  #concluded: Ending | undefined;

  constructor(attempting: Attempting) {
    this.#attempting = attempting;
    this.#operation = attempting.work.about.operation;
    this.#caller = new EffectCaller(attempting);
  }

  /** What the last transaction has completed the work with; `undefined`: none has. */
  get concluded(): Ending | undefined {
    return this.#concluded;
  }

  /** The effects and transactions that this attempt visited. */
  visited(): readonly string[] {
    return [...this.#used];
  }

  /** One that is still under way, though the run has ended; waits for all of them. */
  async settle(): Promise<string | undefined> {
    this.#ended = true;
    if (this.#underWay.size === 0) return undefined;
    const [forgotten] = this.#underWay.keys();
    await Promise.allSettled(this.#underWay.values());
    return forgotten;
  }

  readonly effect = (name: string, effect: EffectOptions): Promise<unknown> =>
    this.#track(name, async () => {
      const { ledger, cost, work } = this.#attempting;
      const operation = this.#operation;
      // refused whenever a transaction is open, not only inside it: from here the two cannot be told apart
      if (this.#openTransactions > 0) {
        throw new RepriseError("REPRISE_EFFECT_IN_TRANSACTION", { operation, effect: name });
      }
      checkEffect(name, effect, operation);
      if (ledger.losesCommits === true && cost === "money") checkHonoursKey(name, effect, operation, ledger);
      checkAnchorKeeps(name, effect, operation, work.keepMs);
      const perform = () => this.#caller.perform(name, effect);
      return effect["~keptMs"] === undefined ? perform() : this.#whileOpen(perform);
    });

  /** An effect whose answer changes between calls. A value at hand is no call: it has no answer to lose. */
  readonly pinned = (name: string, answer: unknown, options: PinOptions = {}): Promise<unknown> => {
    const { ifUnknown = "park", ...timing } = options;
    if (typeof answer === "function") {
      const ask = answer as (key: string, signal: AbortSignal) => unknown;
      return this.effect(name, { ...timing, ifUnknown, run: async (key, signal) => ask(key, signal) });
    }
    return this.effect(name, { ifUnknown: "retry", run: async () => answer, "~firstStays": true });
  };

  readonly transaction = (
    work: Transaction,
    {
      name = "transaction",
      last = false,
    }: { readonly name?: string | undefined; readonly last?: boolean | undefined } = {},
  ): Promise<unknown> =>
    this.#track(name, () => this.#whileOpen(() => (last ? this.#conclude(name, work) : this.#transact(name, work))));

  /** `perform` under a name of its own; settle() knows of it while it is under way. */
  #track(name: string, perform: () => Promise<unknown>): Promise<unknown> {
    const tracked = this.#performTracked(name, perform);
    // the run may never await it; settle() reports that, an unhandled rejection would kill the process instead
    tracked.catch(() => {});
    return tracked;
  }

  async #performTracked(name: string, perform: () => Promise<unknown>): Promise<unknown> {
    this.#use(name);
    const performed = perform();
    this.#underWay.set(name, performed);
    try {
      return await performed;
    } finally {
      this.#underWay.delete(name);
    }
  }

  #use(name: string): void {
    const operation = this.#operation;
    checkName(name, operation);
    if (this.#concluded !== undefined) throw afterLast(name, operation);
    if (this.#ended) throw new RepriseError("REPRISE_EFFECT_NOT_AWAITED", { operation, effect: name });
    if (this.#used.has(name)) throw new RepriseError("REPRISE_EFFECT_NAME_TWICE", { operation, effect: name });
    this.#used.add(name);
    this.#attempting.lease.check();
  }

  async #whileOpen(transact: () => Promise<unknown>): Promise<unknown> {
    this.#openTransactions += 1;
    try {
      return await transact();
    } finally {
      this.#openTransactions -= 1;
    }
  }

  async #transact(name: string, body: Transaction): Promise<unknown> {
    const { ledger, won, committed } = this.#attempting;
    const pinned = this.#caller.pinned(name);
    if (pinned !== null) return this.#caller.adopt(name, pinned);
    checkTransactional(this.#operation, ledger);
    const result = await telling(committed, () =>
      ledger.transact(won.fence, name, async (tx) => {
        const value = await body(tx);
        return { value, answer: encodeAnswer({ is: "value", value }, `the value of '${name}'`) };
      }),
    );
    if (result.is === "fenced") return this.#caller.fenced();
    committed();
    return result.is === "committed" ? result.value : this.#caller.adopt(name, result.answer);
  }

  /** The same with the outcome in its commit. What an earlier attempt did under its name without being the last, stands. */
  async #conclude(name: string, body: Transaction): Promise<unknown> {
    const { ledger, won, work, committed, outcomeOf } = this.#attempting;
    const pinned = this.#caller.pinned(name);
    if (pinned !== null) return this.#caller.adopt(name, pinned);
    const operation = this.#operation;
    checkTransactional(operation, ledger);
    const [forgotten] = [...this.#underWay.keys()].filter((one) => one !== name);
    if (forgotten !== undefined) throw new RepriseError("REPRISE_EFFECT_NOT_AWAITED", { operation, effect: forgotten });
    // its own name is not among them: what stands under it was done by another attempt, and must not be done again
    const visited = this.visited().filter((one) => one !== name);
    const result = await telling(committed, () =>
      ledger.conclude(won.fence, { keepMs: work.keepMs, visited }, async (tx) => {
        const ending = outcomeOf(await body(tx));
        return { value: ending, outcome: ending.outcome, refused: false };
      }),
    );
    if (result.is === "fenced") return this.#caller.fenced();
    if (result.is === "effects-differ") throw new PassedOver("the last transaction would answer over an effect");
    committed();
    this.#concluded = result.value;
    return result.value.settlement.status === "done" ? result.value.settlement.value : undefined;
  }
}

function afterLast(name: string, operation: string): RepriseError {
  return new RepriseError("REPRISE_BAD_DECLARATION", {
    where: `'${name}' of '${operation}'`,
    why: "it comes after the transaction that was declared last, which has completed the operation.",
    mend: "Do it before, or do not declare that transaction last.",
  });
}
