import type { Clock } from "../base/clock.ts";
import { defaults } from "../base/defaults.ts";
import { type Duration, milliseconds } from "../base/duration.ts";
import { RepriseError } from "../base/errors.ts";
import { fingerprintVersion } from "../base/fingerprint.ts";
import { insist } from "../base/insist.ts";
import { nameOf, sha256 } from "../base/names.ts";
import { pause, withDeadline } from "../base/promise.ts";
import { bytes, type Size } from "../base/size.ts";
import type { Ledger, WorkRequest } from "../contract/ledger.ts";
import type { Effect } from "./declaration.ts";
import type { Host } from "./host.ts";
import { Refusal } from "./outcome.ts";
import { type Answer, decodeAnswer, encodeAnswer } from "./record.ts";

export interface AnchorOptions<Tx> {
  /**
   * In the database whose tables the transactions write, with tables of its own there. Opened at the first use, and closed
   * by the instance's `close`.
   */
  readonly ledger: AnchorLedger<Tx>;
  /** How long it remembers what it committed, from the commit. At least the retention of every operation that uses it. */
  readonly retention: Duration;
  /** A transaction with a larger answer is rolled back. Default 64 kb. */
  readonly outcomeLimit?: Size | undefined;
}
type AnchorLedger<Tx> = [Tx] extends [never] ? "this ledger has no transactions: an anchor needs them" : Ledger<Tx>;

/** Transactions in a database in which the operations' ledger does not lie. */
export interface Anchor<out Tx> {
  /**
   * A transaction there, for `effect`: what `work` writes commits together with the effect's key and its answer. It commits
   * once however often it is tried, by whichever attempt, also where the answer to a commit was lost; later ones get the
   * stored answer, and `work` is not run. What `work` throws rolls back; a refusal is kept as one. After a conflict `work`
   * runs again, so everything that it does has to go through its `tx`. What it returns has to come back as it was
   * (REPRISE_NOT_STORABLE, REPRISE_OUTCOME_TOO_LARGE; then nothing is committed). `signal`: it is to stop.
   */
  readonly transaction: <A>(work: (tx: Tx, signal: AbortSignal) => Promise<A>) => AnchoredTransaction<A>;
}

export type AnchoredTransaction<A> = Effect<A> & {
  /** Milliseconds for which the anchor remembers what it committed. */
  readonly "~keptMs": number;
};

/** The anchors of one instance. */
export interface Anchors {
  /** @throws REPRISE_BAD_DECLARATION, REPRISE_BAD_DURATION, REPRISE_BAD_SIZE */
  readonly declare: (options: AnchorOptions<unknown>) => Anchor<unknown>;
  readonly ledgers: () => readonly Ledger<unknown>[];
  readonly close: () => Promise<void>;
}

/** How often somebody who waits for another attempt's transaction asks; it doubles. */
const pollMs = { first: 25, longest: 1_000 };

export function createAnchors(host: Pick<Host, "service" | "instance" | "clock" | "closing">): Anchors {
  const declared = new Set<AnchorOf>();
  return {
    declare: (options) => {
      const anchor = new AnchorOf(host, options);
      declared.add(anchor);
      return { transaction: (work) => anchor.transaction(work) };
    },
    ledgers: () => [...declared].map(({ ledger }) => ledger),
    close: async () => {
      await Promise.all([...declared].map((anchor) => anchor.close()));
    },
  };
}

/**
 * The anchor of a transaction is a piece of database work in that other database's ledger, named by the effect's key: the
 * claim, the writes and the answer are one commit there.
 */
class AnchorOf {
  readonly #host: Parameters<typeof createAnchors>[0];
  readonly ledger: Ledger<unknown>;
  readonly #keptMs: number;
  readonly #outcomeLimit: number;
  readonly #label: string;
  #sweptAt = Number.NEGATIVE_INFINITY;

  constructor(host: Parameters<typeof createAnchors>[0], { ledger, retention, outcomeLimit }: AnchorOptions<unknown>) {
    if (ledger?.transactional !== true) {
      throw new RepriseError("REPRISE_BAD_DECLARATION", {
        where: "anchor",
        why: "its ledger has no transactions.",
        mend: "Give it one that has, in the database that is written.",
      });
    }
    this.#host = host;
    this.ledger = ledger;
    this.#keptMs = milliseconds(retention, "anchor, retention");
    this.#outcomeLimit =
      outcomeLimit === undefined ? defaults.operation.outcomeLimitBytes : bytes(outcomeLimit, "anchor, outcomeLimit");
    this.#label = `${host.service} (anchor)`;
  }

  transaction<A>(work: (tx: unknown, signal: AbortSignal) => Promise<A>): AnchoredTransaction<A> {
    return {
      ifUnknown: "retry",
      "~keptMs": this.#keptMs,
      run: async (key, signal) => {
        const clock = this.#host.clock();
        const answer = await this.#settle(clock, key, signal, async (tx) => ({
          is: "value",
          value: await work(tx, signal),
        }));
        if (answer.is === "refusal") throw new Refusal(answer.code, answer.detail);
        this.#sweep(clock);
        return (answer.is === "value" ? answer.value : undefined) as A;
      },
    };
  }

  close(): Promise<void> {
    return this.ledger.close();
  }

  #open(clock: Clock): Promise<void> {
    const away = () => new RepriseError("REPRISE_LEDGER_AWAY", { ledger: this.ledger.name, doing: "opening" });
    return withDeadline(clock, defaults.openMs, this.ledger.open(), away);
  }

  async #settle(
    clock: Clock,
    key: string,
    signal: AbortSignal,
    work: (tx: unknown) => Promise<Answer>,
  ): Promise<Answer> {
    try {
      return await this.#commitOnce(clock, key, signal, work);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      // what it wrote is rolled back; kept as well, or an outdated attempt could commit after it. Whoever committed wins
      const { code, detail } = error;
      return this.#commitOnce(clock, key, signal, async () => ({ is: "refusal", code, detail }));
    }
  }

  async #commitOnce(
    clock: Clock,
    key: string,
    signal: AbortSignal,
    work: (tx: unknown) => Promise<Answer>,
  ): Promise<Answer> {
    const perform = async (tx: unknown) => {
      signal.throwIfAborted();
      const value = await work(tx);
      const outcome = this.#encode(value);
      // whoever was paused meanwhile must not commit what nobody waits for any more
      signal.throwIfAborted();
      return { value, outcome, refused: value.is === "refusal" };
    };
    const request = this.#request(key);
    const claim = async () => {
      signal.throwIfAborted();
      await this.#open(clock);
      return this.ledger.atomic(request, perform);
    };
    for (let waitMs = pollMs.first; ; waitMs = Math.min(waitMs * 2, pollMs.longest)) {
      // where the answer to a commit was lost, claiming again tells what became of it
      const result = await insist(clock, claim, "while-busy");
      switch (result.is) {
        case "ran":
          return result.value;
        case "done":
          return decodeAnswer(result.outcome);
        case "running":
          // no connection is held meanwhile; the effect's deadline ends it
          await pause(clock, waitMs, signal);
          break;
        case "mismatch":
          throw new RepriseError("REPRISE_MISMATCH", { operation: this.#label });
        case "unknown":
          throw new RepriseError("REPRISE_UNKNOWN", { operation: this.#label, effect: result.effect });
      }
    }
  }

  #request(key: string): WorkRequest {
    return {
      name: nameOf("anchor", [key]),
      key: null,
      print: { version: fingerprintVersion, hash: sha256(key) },
      keepMs: this.#keptMs + defaults.operation.anchorMarginMs,
      about: {
        operation: this.#label,
        identity: `${key.slice(0, 4)}…`,
        principal: "everyone",
        key: null,
        owner: this.#host.instance,
      },
      parent: null,
      intent: null,
    };
  }

  #encode(answer: Answer): string {
    const text = encodeAnswer(answer, `the answer of '${this.#label}'`);
    const size = Buffer.byteLength(text);
    if (size <= this.#outcomeLimit) return text;
    throw new RepriseError("REPRISE_OUTCOME_TOO_LARGE", {
      operation: this.#label,
      bytes: size,
      atMost: this.#outcomeLimit,
    });
  }

  /** On use, so that no timer is needed. A sweep that fails leaves its rows to the next one. */
  #sweep(clock: Clock): void {
    const { sweepEveryMs, sweepBatch } = defaults.background;
    if (clock.monotonic() - this.#sweptAt < sweepEveryMs) return;
    this.#sweptAt = clock.monotonic();
    const sweep = async () => {
      while (this.#host.closing.reason === undefined && (await this.ledger.sweep(sweepBatch)) === sweepBatch);
    };
    sweep().catch(() => {});
  }
}
