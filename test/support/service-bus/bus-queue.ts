import { randomBytes } from "node:crypto";
import type { Message } from "rhea";
import { tokenOf } from "./wire.ts";

export interface BusQueueOptions {
  readonly lockMs?: number;
  /** What was delivered so often is set aside by the broker. */
  readonly maxDeliveries?: number;
  readonly sessions?: boolean;
  /** A message whose id came within it is taken, and dropped. */
  readonly dedupeMs?: number;
}

interface Kept {
  readonly message: Message;
  readonly sequence: number;
  readonly enqueuedAt: number;
  readonly sessionId: string | undefined;
  /** How often it came back. */
  deliveries: number;
}

/** A message that somebody has. */
export interface Locked {
  readonly tag: Buffer;
  readonly token: string;
  readonly kept: Kept;
  /** Over which link it went out. */
  readonly link: object;
  until: number;
}

interface SessionLock {
  readonly link: object;
  until: number;
}

export type SettledAs =
  | { readonly is: "completed" }
  | { readonly is: "abandoned" }
  | { readonly is: "dead-lettered"; readonly properties: Readonly<Record<string, unknown>> };

/** What a queue of Service Bus does with messages, locks and sessions, as its documentation tells it; nothing of the wire. */
export class BusQueue {
  readonly name: string;
  readonly lockMs: number;
  readonly hasSessions: boolean;
  readonly deadLetters: BusQueue | undefined;
  /** What happened since it was made. */
  readonly counts = { delivered: 0, renewed: 0, lockExpired: 0, abandoned: 0, dropped: 0 };
  /** Something is there to be delivered. */
  arrived: () => void = () => {};
  /** The lock on a session has ended: whoever had it is told. */
  sessionLost: (link: object) => void = () => {};
  readonly #maxDeliveries: number;
  readonly #dedupeMs: number;
  readonly #ready: Kept[] = [];
  readonly #locked = new Map<string, Locked>();
  readonly #sessions = new Map<string, SessionLock>();
  readonly #states = new Map<string, unknown>();
  readonly #seen = new Map<unknown, number>();
  #sequence = 0;

  constructor(name: string, options: BusQueueOptions = {}) {
    const { lockMs = 3_000, maxDeliveries = 10, sessions = false, dedupeMs = 0 } = options;
    this.name = name;
    this.lockMs = lockMs;
    this.hasSessions = sessions;
    this.#maxDeliveries = maxDeliveries;
    this.#dedupeMs = dedupeMs;
    const isDeadLetters = name.endsWith("$DeadLetterQueue");
    this.deadLetters = isDeadLetters
      ? undefined
      : new BusQueue(`${name}/$DeadLetterQueue`, { lockMs, maxDeliveries: Number.POSITIVE_INFINITY });
  }

  /** Ready or locked. */
  get size(): number {
    return this.#ready.length + this.#locked.size;
  }

  enqueue(message: Message): void {
    const id = message.message_id;
    const now = Date.now();
    if (this.#dedupeMs > 0 && id !== undefined) {
      if (now - (this.#seen.get(id) ?? Number.NEGATIVE_INFINITY) < this.#dedupeMs) {
        this.counts.dropped += 1;
        return;
      }
      this.#seen.set(id, now);
    }
    this.#sequence += 1;
    const sessionId = message.group_id as string | undefined;
    this.#ready.push({ message, sequence: this.#sequence, enqueuedAt: now, sessionId, deliveries: 0 });
    this.arrived();
  }

  /** The next one, locked for this link; of its session alone, where there are sessions. */
  take(link: object, sessionId: string | undefined): Locked | undefined {
    const at = this.hasSessions ? this.#ready.findIndex((one) => one.sessionId === sessionId) : 0;
    const kept = at < 0 ? undefined : this.#ready.splice(at, 1)[0];
    if (kept === undefined) return undefined;
    const tag = randomBytes(16);
    const until = this.#sessions.get(sessionId ?? "")?.until ?? Date.now() + this.lockMs;
    const locked: Locked = { tag, token: tokenOf(tag), kept, link, until };
    this.#locked.set(locked.token, locked);
    this.counts.delivered += 1;
    // that of a session ends with the session's
    if (!this.hasSessions) this.#watch(locked);
    return locked;
  }

  /** Until when it is locked now; `undefined`: it is not. */
  renew(token: string): number | undefined {
    const locked = this.#locked.get(token);
    if (locked === undefined) return undefined;
    locked.until = Date.now() + this.lockMs;
    this.counts.renewed += 1;
    return locked.until;
  }

  /** False: its lock has ended. */
  settle(token: string, settled: SettledAs): boolean {
    const locked = this.#locked.get(token);
    if (locked === undefined) return false;
    this.#locked.delete(token);
    if (settled.is === "abandoned") {
      this.counts.abandoned += 1;
      this.#comesBack(locked.kept);
    } else if (settled.is === "dead-lettered") this.#setAside(locked.kept, settled.properties);
    return true;
  }

  /** Ends every lock on a message now, whoever renews it. */
  loseLocks(): void {
    for (const [token, { kept }] of this.#locked) {
      this.#locked.delete(token);
      this.counts.lockExpired += 1;
      this.#comesBack(kept);
    }
  }

  /** Ready and locked ones, which stay what they are. */
  peek(from: number, most: number): readonly Kept[] {
    return [...this.#ready, ...[...this.#locked.values()].map(({ kept }) => kept)]
      .filter(({ sequence }) => sequence >= from)
      .sort((one, other) => one.sequence - other.sequence)
      .slice(0, most);
  }

  /** @param wanted `undefined`: any that has messages and that nobody has */
  acceptSession(link: object, wanted: string | undefined): { readonly id: string; readonly until: number } | undefined {
    const id = wanted ?? this.#ready.map((one) => one.sessionId).find((one) => !this.#sessions.has(one ?? ""));
    if (id === undefined || this.#sessions.has(id)) return undefined;
    const lock = { link, until: Date.now() + this.lockMs };
    this.#sessions.set(id, lock);
    this.#watchSession(id, lock);
    return { id, until: lock.until };
  }

  renewSession(id: string): number | undefined {
    const lock = this.#sessions.get(id);
    if (lock === undefined) return undefined;
    lock.until = Date.now() + this.lockMs;
    this.counts.renewed += 1;
    return lock.until;
  }

  sessionState(id: string): unknown {
    return this.#states.get(id) ?? null;
  }

  setSessionState(id: string, state: unknown): void {
    this.#states.set(id, state);
  }

  /**
   * A link is gone. A session is open again, and its messages come again as if nobody had had them; any other message stays
   * locked for as long as its lock lasts.
   */
  leave(link: object): void {
    for (const [id, lock] of this.#sessions) if (lock.link === link) this.#sessions.delete(id);
    if (!this.hasSessions) return;
    for (const [token, locked] of this.#locked) {
      if (locked.link !== link) continue;
      this.#locked.delete(token);
      this.#putBack(locked.kept);
    }
  }

  #watch(locked: Locked): void {
    const look = () => {
      if (this.#locked.get(locked.token) !== locked) return;
      const leftMs = locked.until - Date.now();
      if (leftMs > 0) return void setTimeout(look, leftMs).unref();
      this.#locked.delete(locked.token);
      this.counts.lockExpired += 1;
      this.#comesBack(locked.kept);
    };
    setTimeout(look, this.lockMs).unref();
  }

  #watchSession(id: string, lock: SessionLock): void {
    const look = () => {
      if (this.#sessions.get(id) !== lock) return;
      const leftMs = lock.until - Date.now();
      if (leftMs > 0) return void setTimeout(look, leftMs).unref();
      this.#sessions.delete(id);
      this.counts.lockExpired += 1;
      for (const [token, { kept }] of this.#locked) {
        if (kept.sessionId !== id) continue;
        this.#locked.delete(token);
        this.#comesBack(kept);
      }
      this.sessionLost(lock.link);
    };
    setTimeout(look, this.lockMs).unref();
  }

  #comesBack(kept: Kept): void {
    kept.deliveries += 1;
    if (kept.deliveries < this.#maxDeliveries) {
      this.#putBack(kept);
      return;
    }
    const why = `Message could not be consumed after ${kept.deliveries} delivery attempts.`;
    this.#setAside(kept, { DeadLetterReason: "MaxDeliveryCountExceeded", DeadLetterErrorDescription: why });
  }

  #putBack(kept: Kept): void {
    const at = this.#ready.findIndex(({ sequence }) => sequence > kept.sequence);
    this.#ready.splice(at < 0 ? this.#ready.length : at, 0, kept);
    this.arrived();
  }

  #setAside({ message }: Kept, properties: Readonly<Record<string, unknown>>): void {
    const written = { ...message.application_properties, ...properties };
    this.deadLetters?.enqueue({ ...message, application_properties: written });
  }
}
