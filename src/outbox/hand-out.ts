import { RepriseError } from "../base/errors.ts";
import { insist } from "../base/insist.ts";
import type { OutboxStores } from "./host.ts";

/** Up to where messages were handed out, and by whom. */
interface HandedOut {
  /** The name of the newest; before the first, nothing. */
  readonly until: string;
  /** Of the lease under which that was written. */
  readonly token: number;
}

/** Of the register's form. What a newer version wrote is not read by an older one. */
const form = 1;

/**
 * Writes down up to where messages were handed out, before they are: whatever lies behind was in nobody's hands. It is
 * written once by whoever takes the lease, so that one who lost it hands out nothing more, whatever it believes.
 */
export class HandOut {
  readonly #stores: OutboxStores;
  readonly #token: number;
  #version: number | null;
  #until: string;

  private constructor(stores: OutboxStores, token: number, version: number | null, until: string) {
    this.#stores = stores;
    this.#token = token;
    this.#version = version;
    this.#until = until;
  }

  static async begin(stores: OutboxStores, token: number): Promise<HandOut> {
    const found = await read(stores);
    const handOut = new HandOut(stores, token, found?.version ?? null, found?.until ?? "");
    await handOut.#write(handOut.#until);
    return handOut;
  }

  /** Whether it may have been in somebody's hands. */
  has(name: string): boolean {
    return name <= this.#until;
  }

  /** @throws REPRISE_FENCED where another has taken the lease */
  async advance(until: string): Promise<void> {
    if (!this.has(until)) await this.#write(until);
  }

  async #write(until: string): Promise<void> {
    const { clock, registers, settings } = this.#stores;
    const value = JSON.stringify({ form, until, token: this.#token });
    let version = await insist(clock, () => registers.replace(settings.names.handedOut, value, this.#version));
    if (version === null) {
      // a write whose answer was lost is repeated, and meets itself
      const found = await read(this.#stores);
      if (found?.token !== this.#token || found.until !== until) {
        throw new RepriseError("REPRISE_FENCED", { operation: `outbox ${settings.name}` });
      }
      version = found.version;
    }
    this.#version = version;
    this.#until = until;
  }
}

async function read({ clock, registers, settings }: OutboxStores): Promise<(HandedOut & { version: number }) | null> {
  const register = await insist(clock, () => registers.read(settings.names.handedOut));
  if (register === null) return null;
  const kept = JSON.parse(register.value) as HandedOut & { readonly form: number };
  if (kept.form !== form) throw new Error(`outbox '${settings.name}' was written by another version of this library`);
  return { until: kept.until, token: kept.token, version: register.version };
}
