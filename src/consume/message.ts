import { Abortable } from "../base/abortable.ts";
import { defaults } from "../base/defaults.ts";
import { RepriseError } from "../base/errors.ts";
import { pause, withDeadline } from "../base/promise.ts";
import type { Delivery, Settlement } from "../contract/source.ts";
import { Lease } from "../lease/lease.ts";
import type { MessageAttempts, Tried } from "./attempts.ts";
import type { Executes } from "./batch.ts";
import { type Body, bodyOf, keyOf, laneOf, markOf } from "./body.ts";
import { type ConsumeStores, type Consuming, Left } from "./consuming.ts";
import type { InLane } from "./lanes.ts";
import { ageOf, forgotten } from "./message-terms.ts";
import { type Verdict, verdictOf, verdictOfError } from "./verdict.ts";

/** What becomes of a delivery, and what it is counted under. */
type End = Exclude<Settlement, { readonly is: "acknowledge" }> | Extract<Verdict, { readonly is: "acknowledge" }>;

/** One delivery, from its receipt to its settlement. */
export class Message {
  readonly #consuming: Consuming;
  readonly #stores: ConsumeStores;
  readonly #delivery: Delivery;
  readonly #ending: Abortable;
  readonly #body: Body | null;
  readonly #attempts: MessageAttempts;
  readonly #lock: Lease | null;
  /** `null`: it waits for none. */
  readonly inLane: InLane | null;
  /** Why it cannot be kept in order; `null`: it can, or need not. */
  readonly #disorder: string | null;
  /** `null`: nobody has looked. */
  #tried: Tried | null;
  /** Whether it is one of those at work, which are so many at most. */
  #hasTurn = false;
  #hasEnded = false;

  /** @param ending nothing begins any more, or nothing of its connection can be settled; also it may find that out */
  constructor(consuming: Consuming, delivery: Delivery, ending: Abortable) {
    this.#ending = ending;
    this.#consuming = consuming;
    this.#stores = consuming.stores;
    this.#delivery = delivery;
    this.#body = bodyOf(delivery);
    this.#attempts = this.#stores.attempts.of(this.#body?.value);
    this.#tried = delivery.isRepeated ? null : untried;
    this.#lock = lockOf(this.#stores, delivery);
    const { inOrderBy } = this.#stores.settings;
    const lane = laneOf(this.#stores.settings, this.#body, delivery);
    // a group comes again in its broker's order, and what has no lock is lost by none while its receiver is open
    const mark = typeof lane !== "string" || inOrderBy === null || this.#lock === null ? null : markOf(this.#attempts);
    const { isRepeated, lockMs } = delivery;
    this.inLane =
      typeof lane !== "string" || mark === undefined ? null : { lane, mark, isRepeated, lockMs: lockMs ?? 0 };
    if (lane === undefined) this.#disorder = "'inOrderBy' makes nothing of its body";
    else this.#disorder = mark === undefined ? "its body holds what no copy of it could be known by" : null;
    if (this.inLane !== null) this.#lock?.losing.onAbort(() => this.#loseLane());
  }

  /** It is not delivered again. */
  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** Runs it until it is settled, by others if need be. Never rejects. */
  async handle(): Promise<void> {
    const { counters } = this.#stores;
    this.#hasTurn = await this.#consuming.turns.take(this.#ending);
    const end = await this.#perform();
    this.#hasEnded = end.is !== "return";
    if (await this.#settle(end)) await this.#ended(end);
    else counters.lost += 1;
    counters.underWay -= 1;
    this.#lock?.stop();
    if (this.#hasTurn) this.#consuming.turns.end();
  }

  async #perform(): Promise<End> {
    const unfit = this.#unfit();
    if (unfit !== null) return unfit;
    const { counters, settings } = this.#stores;
    let awayMs: number = defaults.consume.awayMs.least;
    for (;;) {
      const verdict = this.#mayBegin ? await this.#attempt(this.#body?.value) : null;
      if (verdict === null) return now;
      this.#consuming.met(verdict.is === "away" ? "away" : "there");
      switch (verdict.is) {
        case "acknowledge":
        case "dead-letter":
          return verdict;
        case "failed": {
          counters.failed += 1;
          const { attempts } = this.#tried ?? untried;
          if (attempts >= settings.attempts) return { is: "dead-letter", reason: "failed", why: verdict.why };
          const afterMs = settings.retryInMs[Math.min(attempts, settings.retryInMs.length) - 1] ?? 0;
          if (this.#mayReturn()) return { is: "return", afterMs };
          await this.#hold(afterMs);
          break;
        }
        case "wait": {
          counters.waited += 1;
          const afterMs = Math.max(verdict.ms, defaults.consume.soonestMs);
          // whoever is at it ends it sooner than its lease, as a rule
          if (this.#mayReturn() && this.#consuming.held >= this.#mostWaiting()) return { is: "return", afterMs };
          await this.#hold(Math.min(afterMs, defaults.consume.lookAgainMs));
          break;
        }
        case "away":
          // what is given back, the broker counts, and this is no message's fault
          await this.#hold(awayMs);
          awayMs = Math.min(awayMs * 2, defaults.consume.awayMs.most);
      }
    }
  }

  get #mayBegin(): boolean {
    return this.#ending.reason === undefined && this.#lock?.losing.reason === undefined;
  }

  /** What is set aside untried. */
  #unfit(): End | null {
    if (this.#body === null) return { is: "dead-letter", reason: "invalid", why: "its body cannot be read" };
    // run in no order, it could come before what it is to follow
    if (this.#disorder !== null) return { is: "dead-letter", reason: "invalid", why: this.#disorder };
    const { clock } = this.#stores;
    const { oldestMs = null } = this.#consuming;
    const age = ageOf(this.#delivery.sentAt, clock.now());
    if (oldestMs === null || (age.is === "known" && age.ms <= oldestMs)) return null;
    return { is: "dead-letter", reason: "too-old", why: age.is === "known" ? forgotten : age.why };
  }

  /** `null`: it has not begun, and may not any more. */
  async #attempt(input: unknown): Promise<Verdict | null> {
    const { settings } = this.#stores;
    try {
      // only where nobody knows anything against it: a crash is not to be everybody's
      if (this.#tried === untried) return await this.#execute(input, this.#stores.batch);
      // delivered before, and nobody has counted: if a process crashed with it, that was an attempt; but not its last one
      const uncounted = { attempts: Math.min(1, settings.attempts - 1), atWork: true };
      const before = this.#tried ?? (await this.#attempts.read()) ?? uncounted;
      this.#tried = before;
      if (before.attempts >= settings.attempts) return await this.#look(input);
      const counted = async () => {
        // it may have waited for its turn
        if (!this.#mayBegin) return null;
        await this.#attempts.write({ attempts: before.attempts + 1, atWork: true });
        const verdict = await this.#execute(input, null);
        if (verdict.is !== "failed") {
          // it was no attempt of its own, or a good one; should this be lost, one is counted too many
          const kept = verdict.is === "acknowledge" ? this.#attempts.forget() : this.#attempts.write(before);
          await kept.catch(() => {});
        }
        return verdict;
      };
      // it may be what crashes processes: alone, so that the next crash tells
      return await (before.atWork ? this.#consuming.alone(this.#ending, counted) : counted());
    } catch (error) {
      const verdict = this.#verdictOf(error);
      // of the counting: nothing was tried
      return verdict.is === "failed" ? { is: "away" } : verdict;
    }
  }

  async #execute(input: unknown, batch: Executes | null): Promise<Verdict> {
    const { operation, settings } = this.#stores;
    const named = keyOf(settings, input);
    if (named === null) return { is: "dead-letter", reason: "invalid", why: "'key' makes nothing of its body" };
    try {
      const { outcome } = await (batch ?? operation["~carry"]).execute(input, named);
      return verdictOf(outcome, settings.refusals);
    } catch (error) {
      const verdict = this.#verdictOf(error);
      if (verdict.is === "failed") {
        // counted before anything else happens: a first attempt that succeeds costs no write for it
        const tried = { attempts: (this.#tried?.attempts ?? 0) + 1, atWork: false };
        await this.#attempts.write(tried);
        this.#tried = tried;
      }
      return verdict;
    }
  }

  /** Its last attempt may have ended well, and its process before that was counted: it runs no more, and is asked about. */
  async #look(input: unknown): Promise<Verdict> {
    const { operation, settings } = this.#stores;
    const spent: Verdict = {
      is: "dead-letter",
      reason: "failed",
      why: "each attempt failed, or ended with its process",
    };
    const named = keyOf(settings, input);
    const found = named === null ? null : await operation["~carry"].find(input, named);
    if (found === null) return spent;
    const verdict = verdictOf(found.outcome, settings.refusals);
    // nobody is at it, and nobody is to be waited for
    if (verdict.is === "wait" && verdict.ms <= 0) return spent;
    if (verdict.is === "acknowledge") await this.#attempts.forget().catch(() => {});
    return verdict;
  }

  #verdictOf(error: unknown): Verdict {
    const { settings, draining, closing } = this.#stores;
    const isEnding = draining.reason !== undefined || closing.reason !== undefined;
    return verdictOfError(error, { operation: settings.contract.operation, isEnding });
  }

  /**
   * It is delivered anew, and those behind it must not come before that: what has not begun is given back, so that a broker
   * which keeps an order of its own can hand it out.
   */
  #loseLane(): void {
    if (!this.#hasEnded) this.#ending.abort(new Left("a message of a lane is delivered anew"));
  }

  /** Not in a lane: those behind it would come before it. */
  #mayReturn(): boolean {
    return this.#stores.source.delays && this.inLane === null;
  }

  /** Whoever waits keeps a message that another process could be handed. */
  #mostWaiting(): number {
    return Math.ceil(this.#stores.settings.atOnce * defaults.consume.waitingShare);
  }

  /** Keeps it and lets others have its turn. Ends early where it may not begin any more. */
  async #hold(ms: number): Promise<void> {
    const { turns } = this.#consuming;
    const leave = this.#consuming.hold();
    if (this.#hasTurn) turns.end();
    this.#hasTurn = false;
    const stopping = new Abortable();
    const ignore = [this.#ending, this.#lock?.losing].map((one) => one?.onAbort((reason) => stopping.abort(reason)));
    await pause(this.#stores.clock, ms, stopping.signal).catch(() => {});
    for (const stop of ignore) stop?.();
    leave();
    this.#hasTurn = await turns.take(this.#ending);
  }

  /** Whether the broker has heard of it. */
  async #settle(end: End): Promise<boolean> {
    const { clock, source } = this.#stores;
    const { settleMs } = defaults.consume;
    const late = () => new RepriseError("REPRISE_SOURCE_AWAY", { source: source.name, doing: "settling" });
    let awayMs: number = defaults.consume.awayMs.least;
    for (;;) {
      // neither settled nor extended: it would be the next owner's delivery
      if (this.#lock?.losing.reason !== undefined) return false;
      const settling = withDeadline(clock, settleMs, this.#delivery.settle(end), late);
      const settled = await settling.catch((error: Error) => {
        // without a lock that ends, it is delivered again when the connection ends, and keeps a place until then
        if (this.#delivery.lockMs === null) this.#ending.abort(error);
        return "lost" as const;
      });
      if (settled !== "refused") return settled === "settled";
      // when its receiver closes, the broker has it back
      if (this.#ending.reason !== undefined) return false;
      this.#consuming.refused();
      await this.#hold(awayMs);
      awayMs = Math.min(awayMs * 2, defaults.consume.awayMs.most);
    }
  }

  async #ended(end: End): Promise<void> {
    const { counters } = this.#stores;
    switch (end.is) {
      case "acknowledge":
        counters[end.because] += 1;
        break;
      case "return":
        counters.returned += 1;
        break;
      case "dead-letter":
        counters.setAside[end.reason] += 1;
        // whoever mends what failed and sends it again begins anew
        if (end.reason === "failed") await this.#attempts.forget().catch(() => {});
    }
  }
}

const untried: Tried = { attempts: 0, atWork: false };

const now: End = { is: "return", afterMs: 0 };

/** The broker's, renewed by the delivery's own name: a client's renewal by the message's would mix up copies. */
function lockOf({ clock, closing, settings }: ConsumeStores, { renew, lockMs }: Delivery): Lease | null {
  if (renew === undefined || lockMs === null) return null;
  return new Lease({
    ...{ clock, closing, operation: settings.contract.operation, leaseMs: lockMs, sentAt: clock.monotonic() },
    renew: async () => ((await renew()) === "renewed" ? "renewed" : "fenced"),
    cancelled: () => {},
  });
}
