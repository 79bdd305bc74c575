import type { Clock } from "../base/clock.ts";
import { defaults } from "../base/defaults.ts";
import { isRepriseError, RepriseError } from "../base/errors.ts";
import { insist } from "../base/insist.ts";
import { pause } from "../base/promise.ts";
import type { Register, Registers } from "../contract/registers.ts";
import { decodeState, encodeState, type ScheduleState, unseen } from "./state.ts";

/** The name of a schedule's register and of its lease. No service and no name can be cut differently into the same text. */
export function scheduleKey(service: string, name: string): string {
  return `schedule/${encodeURIComponent(service)}/${name}`;
}

/** Two instances that change a schedule at once repeat it by turns: so many turns nobody waits for. */
const mostTurns = 50;

/**
 * The register of one schedule, and the time of the store that keeps it. An instance knows that time by its distance from
 * the own clock, which a write tells that it reads back: it happened between the sending and the answer.
 */
export class StateRegister {
  readonly #registers: Registers<unknown>;
  readonly #clock: Clock;
  readonly #ledger: string;
  readonly #name: string;
  /** The last write of this process; what is read of that version tells when it happened. */
  #written: { readonly version: number; readonly sentAt: number; readonly answeredAt: number } | undefined;
  /** The store's time less the own monotonic one, and when that was found. */
  #distance: { readonly ms: number; readonly foundAt: number } | undefined;

  constructor(registers: Registers<unknown>, clock: Clock, ledger: string, name: string) {
    this.#registers = registers;
    this.#clock = clock;
    this.#ledger = ledger;
    this.#name = name;
  }

  /**
   * Now, by the store's clock. Off by half a round trip at most, and by what quartz drifts in an hour of the process; before
   * the store was asked, by the own clock.
   */
  now(): number {
    const { ms } = this.#distance ?? { ms: this.#clock.now() - this.#clock.monotonic() };
    return Math.round(this.#clock.monotonic() + ms);
  }

  /** Finds out the store's time where that is not known, or not any more. */
  async tellTime(): Promise<void> {
    if (this.#distance !== undefined && this.#clock.monotonic() - this.#distance.foundAt < defaults.schedule.clockMs)
      return;
    await this.change((state) => state, "also-unchanged");
    await this.#registers.read(this.#name).then((register) => register && this.#learn(register));
  }

  /** `null`: no instance has seen the schedule yet. */
  async read(): Promise<ScheduleState | null> {
    const register = await insist(this.#clock, () => this.#registers.read(this.#name));
    if (register === null) return null;
    this.#learn(register);
    return decodeState(register, this.#ledger);
  }

  /**
   * Changes the state by compare-and-set, again and again while others were first. `make` returns the state that it was
   * given where there is nothing to change; it may be called with a state that its own change, whose answer was lost, has
   * made.
   */
  async change(
    make: (state: ScheduleState, now: number) => ScheduleState,
    write?: "also-unchanged",
  ): Promise<ScheduleState> {
    const since = this.#clock.monotonic();
    for (let turn = 1; ; turn += 1) {
      const register = await insist(this.#clock, () => this.#registers.read(this.#name), "while-busy");
      if (register !== null) this.#learn(register);
      if (register === null) await this.#replace(encodeState(unseen), null);
      else {
        const before = decodeState(register, this.#ledger);
        const after = make(before, this.now());
        if (after === before && write === undefined) return before;
        if (await this.#replace(encodeState(after), register.version)) return after;
      }
      if (turn === mostTurns)
        throw new RepriseError("REPRISE_LEDGER_BUSY", {
          ledger: this.#ledger,
          afterMs: this.#clock.monotonic() - since,
        });
      if (turn > 3) await pause(this.#clock, Math.random() * 10 * turn);
    }
  }

  /** False: it is of another version by now, or nobody knows. */
  async #replace(value: string, version: number | null): Promise<boolean> {
    const sentAt = this.#clock.monotonic();
    try {
      const written = await this.#registers.replace(this.#name, value, version);
      if (written === null) return false;
      this.#written = { version: written, sentAt, answeredAt: this.#clock.monotonic() };
      return true;
    } catch (error) {
      // it may have happened: the next turn reads what is so, and rejects if the store stays away
      if (isRepriseError(error, "REPRISE_LEDGER_AWAY") || isRepriseError(error, "REPRISE_LEDGER_BUSY")) return false;
      throw error;
    }
  }

  #learn({ version, at }: Register): void {
    if (this.#written?.version !== version) return;
    const { sentAt, answeredAt } = this.#written;
    this.#distance = { ms: at - (sentAt + answeredAt) / 2, foundAt: answeredAt };
    this.#written = undefined;
  }
}
