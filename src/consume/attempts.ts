import type { Clock } from "../base/clock.ts";
import { defaults } from "../base/defaults.ts";
import { fingerprint } from "../base/fingerprint.ts";
import { insist } from "../base/insist.ts";
import type { Registers } from "../contract/registers.ts";

/**
 * How often this consumer has begun with a message that did not end, counted in the ledger. A broker counts deliveries, and
 * so blames all that a process had received when it crashed; counted here is who was at work.
 */
export class Attempts {
  readonly #registers: Registers<unknown>;
  readonly #clock: Clock;
  readonly #prefix: string;
  #sweptAt = Number.NEGATIVE_INFINITY;

  /** @param prefix of the registers' names, which belongs to one consumer alone */
  constructor(registers: Registers<unknown>, clock: Clock, prefix: string) {
    this.#registers = registers;
    this.#clock = clock;
    this.#prefix = prefix;
  }

  /** Of a message by what its sender wrote, which is the same when it is sent again. */
  of(body: unknown): MessageAttempts {
    let name: string | undefined;
    // only those that came again or failed are counted
    const nameOf = () => {
      name ??= this.#prefix + fingerprint(body, "a message").hash;
      return name;
    };
    return {
      name: nameOf,
      read: async () => {
        const kept = await insist(this.#clock, () => this.#registers.read(nameOf()));
        return kept === null ? null : decodeTried(kept.value);
      },
      write: (tried) =>
        insist(this.#clock, async () => {
          const kept = await this.#registers.read(nameOf());
          // whoever was first has begun with a copy at this moment: one of the two is counted
          await this.#registers.replace(nameOf(), encodeTried(tried), kept?.version ?? null);
        }),
      forget: () =>
        insist(this.#clock, async () => {
          const kept = await this.#registers.read(nameOf());
          // a copy that somebody begins with at this moment keeps its own count
          if (kept !== null) await this.#registers.remove(nameOf(), kept.version);
        }),
    };
  }

  /** Now and then: forgets what nobody has counted for long, some of it. Never rejects. */
  sweep(): void {
    const { sweepEveryMs, keptMs, sweepBatch } = defaults.consume;
    const now = this.#clock.monotonic();
    if (now - this.#sweptAt < sweepEveryMs) return;
    this.#sweptAt = now;
    // the next one goes on
    this.#registers.sweep(this.#prefix, keptMs, sweepBatch).catch(() => {});
  }
}

export interface MessageAttempts {
  /** The same for every delivery of a message, and its copies. */
  readonly name: () => string;
  /** `null`: nobody has counted any. */
  readonly read: () => Promise<Tried | null>;
  readonly write: (tried: Tried) => Promise<void>;
  /** It ended, or was set aside: another of the same content begins anew. */
  readonly forget: () => Promise<void>;
}

export interface Tried {
  /** Begun, the last one included. */
  readonly attempts: number;
  /** Whether the last one has not ended, as far as anybody knows. */
  readonly atWork: boolean;
}

/** Of the registers' form. What a newer version wrote is not read by an older one. */
const form = 1;

export function encodeTried({ attempts, atWork }: Tried): string {
  return JSON.stringify({ form, attempts, atWork });
}
/** `null`: of another form. */
export function decodeTried(text: string): Tried | null {
  const { form: written, attempts, atWork } = JSON.parse(text) as Tried & { readonly form: number };
  return written === form ? { attempts, atWork } : null;
}
