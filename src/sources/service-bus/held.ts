import type { DeadLetterReason, Delivery, Settlement } from "../../contract/source.ts";
import { instantIn, sentAtName } from "../letters.ts";
import type { Line } from "./line.ts";
import { isLost, type Lock } from "./lock.ts";
import type { ServiceBusMessage, Settling } from "./shapes.ts";

/** When it was set aside, which the broker does not write down. */
export const setAsideAtName = "x-reprise-set-aside-at";
/** The broker takes no longer one. */
const longestWhy = 4_000;

export interface HeldOptions {
  readonly line: Line;
  readonly message: ServiceBusMessage;
  /** What it came over. */
  readonly settling: Settling;
  readonly isRepeated: boolean;
  readonly group: string | undefined;
  /** Lets others have it sooner than its lock ends. */
  readonly giveBack: () => Promise<void>;
}

/** A message that the broker keeps for this process. */
export class Held {
  /** Resolves when it takes no place any more. */
  readonly released: Promise<void>;
  readonly #options: HeldOptions;
  #lock: Lock | undefined;
  #release = () => {};
  #stopKeeping = () => {};

  constructor(options: HeldOptions) {
    this.#options = options;
    this.released = new Promise((resolve) => {
      this.#release = resolve;
    });
  }

  /** Renewed until somebody is handed it, who renews it then. */
  waitUnder(lock: Lock): void {
    this.#lock = lock;
    this.#stopKeeping = lock.keep();
  }

  release(): void {
    this.#stopKeeping();
    this.#release();
  }

  /** `null`: its lock has ended meanwhile, and it is another's. */
  handOut(): Delivery | null {
    const lock = this.#lock;
    this.#stopKeeping();
    if (lock === undefined || lock.isOver) {
      this.release();
      return null;
    }
    lock.freshen();
    const { message, isRepeated, group } = this.#options;
    return {
      read: () => readBody(message),
      sentAt: sentAtOf(message),
      isRepeated,
      ...(group === undefined ? {} : { group }),
      lockMs: lock.lockMs,
      renew: async () => (this.#options.line.isOver ? "lost" : lock.renew()),
      settle: (settlement) => this.settle(settlement),
    };
  }

  async settle(settlement: Settlement): Promise<"settled" | "lost"> {
    const { line } = this.#options;
    if (line.isOver) return "lost";
    try {
      await line.settling(this.#settle(settlement));
      return "settled";
    } catch (error) {
      if (isLost(error)) return "lost";
      throw error;
    } finally {
      this.release();
    }
  }

  /** Nobody was handed it. */
  async giveBack(): Promise<void> {
    await this.#options.giveBack().catch(() => {});
    this.release();
  }

  async #settle(settlement: Settlement): Promise<void> {
    const { settling, message } = this.#options;
    switch (settlement.is) {
      case "acknowledge":
        return settling.completeMessage(message);
      case "return":
        return settling.abandonMessage(message);
      case "dead-letter":
        return settling.deadLetterMessage(message, setAside(message, settlement.reason, settlement.why));
    }
  }
}

function setAside(message: ServiceBusMessage, reason: DeadLetterReason, why: string) {
  const sentAt = sentAtOf(message);
  return {
    deadLetterReason: reason,
    deadLetterErrorDescription: why.slice(0, longestWhy),
    ...(sentAt === null ? {} : { [sentAtName]: String(sentAt) }),
    [setAsideAtName]: String(Date.now()),
  };
}

/** @throws where it holds no JSON */
export function readBody({ body }: ServiceBusMessage): unknown {
  if (body instanceof Uint8Array) return JSON.parse(new TextDecoder().decode(body));
  // what a client of another language wrote as a value
  if (typeof body === "string") return JSON.parse(body);
  throw new TypeError("its body is neither bytes nor text");
}

export function sentAtOf({ applicationProperties, enqueuedTimeUtc }: ServiceBusMessage): number | null {
  return instantIn(applicationProperties?.[sentAtName]) ?? enqueuedTimeUtc?.getTime() ?? null;
}
