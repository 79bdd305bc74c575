import type { Clock } from "../base/clock.ts";
import { defaults } from "../base/defaults.ts";
import { isRepriseError, RepriseError } from "../base/errors.ts";
import { insist } from "../base/insist.ts";
import { pause } from "../base/promise.ts";
import type { Register, Registers } from "../contract/registers.ts";
import { decodeState, type EndedTick, encodeState, type ScheduleState, unseen } from "./state.ts";

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
  readonly #ended: (ticks: readonly EndedTick[]) => void;
  /** The last write of this process; what is read of that version tells when it happened. */
  #written: { readonly version: number; readonly sentAt: number; readonly answeredAt: number } | undefined;
  /** The store's time less the own monotonic one, when that was found, and the own wall's then. */
  #distance: { readonly ms: number; readonly foundAt: number; readonly wallMs: number } | undefined;

  /** @param ended told of the ends that this process has written; of those whose answer was lost, nobody is */
  constructor(
    registers: Registers<unknown>,
    clock: Clock,
    ledger: string,
    name: string,
    ended: (ticks: readonly EndedTick[]) => void,
  ) {
    this.#ended = ended;
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
    const ms = this.#distance?.ms ?? this.#wallMs();
    return Math.round(this.#clock.monotonic() + ms);
  }

  /**
   * Finds out the store's time where that is not known, or not any more.
   * @throws REPRISE_LEDGER_BUSY where others write between a write and its reading, again and again: nothing may be decided
   *   by a clock that is perhaps wrong
   */
  async tellTime(): Promise<void> {
    const since = this.#clock.monotonic();
    for (let turn = 1; !this.#knowsTime(); turn += 1) {
      if (turn > 1) await this.#waitTurn(turn, since);
      await this.change((state) => state, "also-unchanged");
      await this.read();
    }
  }

  #knowsTime(): boolean {
    if (this.#distance === undefined) return false;
    const { foundAt, wallMs } = this.#distance;
    const { clockMs, clockStepMs } = defaults.schedule;
    return this.#clock.monotonic() - foundAt < clockMs && Math.abs(this.#wallMs() - wallMs) < clockStepMs;
  }

  #wallMs(): number {
    return this.#clock.now() - this.#clock.monotonic();
  }

  /** Before another turn, so that those who meet do not meet again. */
  async #waitTurn(turn: number, since: number): Promise<void> {
    if (turn > mostTurns) {
      const afterMs = this.#clock.monotonic() - since;
      throw new RepriseError("REPRISE_LEDGER_BUSY", { ledger: this.#ledger, afterMs });
    }
    await pause(this.#clock, Math.random() * 10 * turn);
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
      if (turn > 3) await this.#waitTurn(turn, since);
      const register = await insist(this.#clock, () => this.#registers.read(this.#name), "while-busy");
      if (register !== null) this.#learn(register);
      if (register === null) await this.#replace(encodeState(unseen), null);
      else {
        const before = decodeState(register, this.#ledger);
        const after = make(before, this.now());
        if (after === before && write === undefined) return before;
        if (await this.#replace(encodeState(after), register.version)) {
          const known = new Set(before.ticks);
          this.#ended(after.ticks.filter((tick) => !known.has(tick)));
          return after;
        }
      }
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
    this.#distance = { ms: at - (sentAt + answeredAt) / 2, foundAt: answeredAt, wallMs: this.#wallMs() };
    this.#written = undefined;
  }
}
