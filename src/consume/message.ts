import type { Abortable } from "../base/abortable.ts";
import { defaults } from "../base/defaults.ts";
import { RepriseError } from "../base/errors.ts";
import { pause, withDeadline } from "../base/promise.ts";
import { encodeScalars } from "../base/scalar.ts";
import type { Delivery, Settlement } from "../contract/source.ts";
import { Lease } from "../lease/lease.ts";
import type { MessageAttempts, Tried } from "./attempts.ts";
import type { Batch } from "./batch.ts";
import type { ConsumeStores, Consuming } from "./consuming.ts";
import { type Verdict, verdictOf, verdictOfError } from "./verdict.ts";

/** One delivery, from its receipt to its settlement. */
export class Message {
  readonly #consuming: Consuming;
  readonly #stores: ConsumeStores;
  readonly #delivery: Delivery;
  readonly #ending: Abortable;
  readonly #body: { readonly value: unknown } | null;
  readonly #attempts: MessageAttempts;
  readonly #lock: Lease | null;
  /** `null`: nobody has looked. */
  #tried: Tried | null;

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
  }

  /** The same for messages that run one after the other; `null`: it waits for none. */
  get lane(): string | null {
    const { inOrderBy } = this.#stores.settings;
    if (inOrderBy === null || this.#body === null) return null;
    try {
      const key = inOrderBy(this.#body.value as never);
      return encodeScalars(Array.isArray(key) ? key : [key], "inOrderBy");
    } catch {
      // the operation's schema says what is wrong with it
      return null;
    }
  }

  /** Runs it until it is settled, by others if need be. Never rejects. */
  async handle(): Promise<void> {
    await this.#settle(await this.#perform());
    this.#lock?.stop();
  }

  async #perform(): Promise<Settlement> {
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
          counters[verdict.because] += 1;
          return verdict;
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
  #unfit(): Settlement | null {
    if (this.#body === null) return { is: "dead-letter", reason: "invalid", why: "its body cannot be read" };
    const { clock } = this.#stores;
    const { oldestMs = null } = this.#consuming;
    const { sentAt } = this.#delivery;
    const ageMs = sentAt === null ? null : clock.now() - sentAt;
    // a date of the far future is none: some publishers write milliseconds where seconds are read
    const isDated = ageMs !== null && ageMs >= -defaults.consume.aheadMs;
    if (oldestMs === null || (isDated && ageMs <= oldestMs)) return null;
    const why = isDated ? "outcomes of its time are forgotten" : "nobody wrote down when it was sent";
    return { is: "dead-letter", reason: "too-old", why };
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
      if (before.attempts >= settings.attempts) {
        return { is: "dead-letter", reason: "failed", why: "each attempt failed, or ended with its process" };
      }
      const counted = async () => {
        // it may have waited for its turn
        if (!this.#mayBegin) return null;
        await this.#attempts.write({ attempts: before.attempts + 1, atWork: true });
        const verdict = await this.#execute(input, null);
        if (verdict.is !== "failed") {
          // it was no attempt of its own, or a good one; should this be lost, one is counted too many
          const tried = verdict.is === "acknowledge" ? untried : before;
          await this.#attempts.write(tried).catch(() => {});
        }
        return verdict;
      };
      // it may be what crashes processes: alone, so that the next crash tells
      return await (before.atWork ? this.#consuming.alone(counted) : counted());
    } catch (error) {
      const verdict = verdictOfError(error, defaults.consume.soonestMs);
      // of the counting: nothing was tried
      return verdict.is === "failed" ? { is: "away" } : verdict;
    }
  }

  async #execute(input: unknown, batch: Batch | null): Promise<Verdict> {
    const { operation, settings } = this.#stores;
    const named = keyOf(settings, input);
    if (named === null) return { is: "dead-letter", reason: "invalid", why: "'key' makes nothing of its body" };
    try {
      const { outcome } = await (batch ?? operation["~carry"]).execute(input, named);
      return verdictOf(outcome, settings.refusals);
    } catch (error) {
      const verdict = verdictOfError(error, defaults.consume.soonestMs);
      if (verdict.is === "failed") {
        // counted before anything else happens: a first attempt that succeeds costs no write for it
        this.#tried = { attempts: (this.#tried?.attempts ?? 0) + 1, atWork: false };
        await this.#attempts.write(this.#tried);
      }
      return verdict;
    }
  }

  /** Not in a lane: those behind it would come before it. */
  #mayReturn(): boolean {
    return this.#stores.source.delays && this.#stores.settings.inOrderBy === null;
  }

  /** Whoever waits keeps a message that another process could be handed. */
  #mostWaiting(): number {
    return Math.ceil(this.#stores.settings.atOnce * defaults.consume.waitingShare);
  }

  /** Keeps it and lets others have its turn. Ends early where nothing begins any more. */
  async #hold(ms: number): Promise<void> {
    const leave = this.#consuming.hold();
    await pause(this.#stores.clock, ms, this.#ending.signal).catch(() => {});
    leave();
  }

  async #settle(settlement: Settlement): Promise<void> {
    const { clock, counters, source } = this.#stores;
    // neither settled nor extended: it would be the next owner's delivery
    if (this.#lock?.losing.reason !== undefined) {
      counters.lost += 1;
      return;
    }
    const late = () => new RepriseError("REPRISE_SOURCE_AWAY", { source: source.name, doing: "settling" });
    const { settleMs } = defaults.consume;
    const settling = withDeadline(clock, settleMs, this.#delivery.settle(settlement), late);
    const settled = await settling.catch((error: Error) => {
      // without a lock that ends, it is delivered again when the connection ends, and keeps a place until then
      if (this.#delivery.lockMs === null) this.#ending.abort(error);
      return "lost";
    });
    if (settled === "lost") counters.lost += 1;
    else if (settlement.is === "return") counters.returned += 1;
    else if (settlement.is === "dead-letter") {
      counters.setAside[settlement.reason] += 1;
      // whoever mends what failed and sends it again begins anew
      if (settlement.reason === "failed") await this.#attempts.write(untried).catch(() => {});
    }
  }
}

const untried: Tried = { attempts: 0, atWork: false };

const now: Settlement = { is: "return", afterMs: 0 };

/** `null`: it throws. Run without its key, the message would be other work than its sender means. */
function keyOf(settings: ConsumeStores["settings"], input: unknown): { readonly key: string | undefined } | null {
  try {
    return { key: settings.keyOf?.(input as never) };
  } catch {
    return null;
  }
}

function bodyOf(delivery: Delivery): { readonly value: unknown } | null {
  try {
    return { value: delivery.read() };
  } catch {
    return null;
  }
}

/** The broker's, renewed by the delivery's own name: a client's renewal by the message's would mix up copies. */
function lockOf({ clock, closing, settings }: ConsumeStores, { renew, lockMs }: Delivery): Lease | null {
  if (renew === undefined || lockMs === null) return null;
  return new Lease({
    ...{ clock, closing, operation: settings.contract.operation, leaseMs: lockMs, sentAt: clock.monotonic() },
    renew: async () => ((await renew()) === "renewed" ? "renewed" : "fenced"),
    cancelled: () => {},
  });
}
