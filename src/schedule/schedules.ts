import { Abortable } from "../base/abortable.ts";
import { RepriseError } from "../base/errors.ts";
import type { Ledger, Note } from "../contract/ledger.ts";
import { checkNote } from "../contract/note.ts";
import type { RuntimeOperation } from "../operation/operations.ts";
import { countEnd, createScheduleCounters, type ScheduleCounters } from "./counters.ts";
import type { ScheduleDeclaration } from "./declaration.ts";
import { nextAt, pause, resume } from "./due.ts";
import type { HeldTick } from "./held-tick.ts";
import { acquire, type Running } from "./hold.ts";
import type { Host } from "./host.ts";
import { Loop } from "./loop.ts";
import { StateRegister, scheduleKey } from "./register.ts";
import { type Settings, settingsOf } from "./settings.ts";
import type { EndedTick, ScheduleState } from "./state.ts";
import type { HeldElsewhere, Schedule, Standing, TickEnd } from "./surface.ts";
import { tickOperation } from "./tick-operation.ts";

/** The schedules of one instance. */
export interface Schedules {
  /** @throws REPRISE_BAD_DECLARATION, REPRISE_BAD_DURATION, REPRISE_NAME_TWICE */
  readonly declare: (declaration: ScheduleDeclaration) => Schedule;
  readonly list: () => readonly DeclaredSchedule[];
  /** @throws REPRISE_BAD_DECLARATION where the ledger keeps no registers, or nobody keeps leases */
  readonly check: (ledger: Ledger<unknown>) => void;
  /** Begins to look for due ticks, on an open ledger. */
  readonly start: (ledger: Ledger<unknown>) => void;
  /** Begins no tick any more and waits for those under way. */
  readonly drain: () => Promise<void>;
}

export interface DeclaredSchedule extends Schedule {
  readonly owner: string | undefined;
  readonly declaration: ScheduleDeclaration;
  readonly counters: ScheduleCounters;
}

/** What a store takes. */
const longestKey = 255;

/** @param runs whether this instance runs ticks, or leaves them to others */
export function createSchedules(host: Host, owner: string | undefined, runs: boolean): Schedules {
  const declared = new Map<string, OneSchedule>();
  const draining = new Abortable();
  let ledger: Ledger<unknown> | undefined;
  return {
    declare: (declaration) => {
      const settings = settingsOf(declaration);
      if (scheduleKey(host.service, settings.name).length > longestKey) {
        throw new RepriseError("REPRISE_BAD_DECLARATION", {
          where: `schedule '${settings.name}'`,
          why: `its name is, with the service's, longer than ${longestKey} characters.`,
          mend: "Name it in a few words.",
        });
      }
      const held = new Map<number, HeldTick>();
      // its name is refused where an operation has it: a tick's run is one
      const operation = host.operation(tickOperation(settings, host.clock, (at) => held.get(at)));
      const schedule = new OneSchedule(host, settings, operation, held, draining, declaration.owner ?? owner);
      // a hot reload declares again
      void declared.get(settings.name)?.stop();
      declared.set(settings.name, schedule);
      if (ledger !== undefined && runs && draining.reason === undefined) schedule.start(ledger);
      return schedule;
    },
    list: () => [...declared.values()],
    check: (given) => {
      for (const schedule of declared.values()) schedule.check(given);
    },
    start: (given) => {
      ledger = given;
      if (runs) for (const schedule of declared.values()) schedule.start(given);
    },
    drain: async () => {
      draining.abort(new RepriseError("REPRISE_CLOSED", { service: host.service }));
      await Promise.all([...declared.values()].map((schedule) => schedule.stop()));
    },
  };
}

class OneSchedule implements DeclaredSchedule {
  readonly name: string;
  readonly owner: string | undefined;
  readonly declaration: ScheduleDeclaration;
  readonly counters = createScheduleCounters();
  readonly #host: Host;
  readonly #settings: Settings;
  readonly #operation: RuntimeOperation;
  readonly #held: Map<number, HeldTick>;
  readonly #draining: Abortable;
  readonly #byHand = new Set<Promise<unknown>>();
  #running: Running | undefined;
  #loop: Loop | undefined;

  constructor(
    host: Host,
    settings: Settings,
    operation: RuntimeOperation,
    held: Map<number, HeldTick>,
    draining: Abortable,
    owner: string | undefined,
  ) {
    this.name = settings.name;
    this.owner = owner;
    this.declaration = settings.declaration;
    this.#host = host;
    this.#settings = settings;
    this.#operation = operation;
    this.#held = held;
    this.#draining = draining;
  }

  check(ledger: Ledger<unknown>): void {
    this.#runningOn(ledger);
  }

  start(ledger: Ledger<unknown>): void {
    this.#loop ??= new Loop(this.#runningOn(ledger));
    this.#loop.start();
  }

  async stop(): Promise<void> {
    await Promise.all([this.#loop?.stop(), Promise.allSettled(this.#byHand)]);
  }

  readonly next = (count = 1): readonly Date[] => {
    const { cadence } = this.#settings.rules;
    const ticks: Date[] = [];
    for (let at = cadence.next(this.#host.clock().now()); at !== null && ticks.length < count; at = cadence.next(at)) {
      ticks.push(new Date(at));
    }
    return ticks;
  };

  readonly standing = async (): Promise<Standing> => {
    const { register } = await this.#connect();
    return standingOf(await register.read(), this.#settings, register.now());
  };

  readonly run = async ({ at }: { readonly at?: Date | undefined } = {}): Promise<TickEnd | HeldElsewhere> => {
    const running = await this.#connect();
    await running.register.tellTime();
    const tick = this.#tickAt(at?.getTime(), running.register.now());
    const hold = await acquire(running);
    if (hold.is === "held") return { is: "held", holder: hold.holder };
    const performing = hold.perform(tick);
    this.#byHand.add(performing);
    try {
      const ended = await performing;
      if (ended !== undefined) return tickEnd(ended);
      throw this.#draining.reason ?? new RepriseError("REPRISE_LEASE_LOST", { operation: this.name });
    } finally {
      this.#byHand.delete(performing);
    }
  };

  readonly pause = async (note: Note): Promise<boolean> => {
    checkNote(note);
    return this.#decide((state, now) => pause(state, note, now));
  };

  readonly resume = async (note: Note): Promise<boolean> => {
    checkNote(note);
    return this.#decide((state, now) => resume(state, note, now, this.#settings.rules));
  };

  async #decide(make: (state: ScheduleState, now: number) => ScheduleState): Promise<boolean> {
    const { register } = await this.#connect();
    await register.tellTime();
    let changed = false;
    await register.change((state, now) => {
      const after = make(state, now);
      changed ||= after !== state;
      return after;
    });
    return changed;
  }

  readonly #ended = (ends: readonly EndedTick[]): void => {
    for (const end of ends) {
      countEnd(this.counters, end);
      this.#host.tell("schedule.tick", () => {
        const { at, is, ticks } = end;
        return { schedule: this.name, at: new Date(at), is, ticks };
      });
    }
  };

  #tickAt(asked: number | undefined, now: number): number {
    const { cadence } = this.#settings.rules;
    const refuse = (why: string): never => {
      throw new RepriseError("REPRISE_NO_SUCH_TICK", { schedule: this.name, why });
    };
    if (asked !== undefined && !Number.isFinite(asked)) return refuse("this is no instant.");
    const tick = cadence.newest(asked ?? now);
    if (tick === null) return refuse("none has come due yet.");
    if (asked !== undefined && tick !== asked) return refuse("this is no instant that it names.");
    if (tick > now) return refuse("it is not due yet.");
    return tick;
  }

  async #connect(): Promise<Running> {
    const ledger = await this.#host.connected();
    if (ledger === undefined) throw new RepriseError("REPRISE_NO_LEDGER", { name: this.name });
    return this.#runningOn(ledger);
  }

  #runningOn(ledger: Ledger<unknown>): Running {
    if (this.#running?.ledger === ledger) return this.#running;
    const { registers } = ledger;
    const leases = this.declaration.leases ?? ledger.leases;
    if (registers === undefined || leases === undefined) {
      throw new RepriseError("REPRISE_BAD_DECLARATION", {
        where: `schedule '${this.name}'`,
        why: `ledger '${ledger.name}' keeps no ${registers === undefined ? "registers, where it writes how it stands" : "leases"}.`,
        mend: registers === undefined ? "Use one that does." : "Use one that does, or name a lease store in 'leases'.",
      });
    }
    const clock = this.#host.clock();
    const key = scheduleKey(this.#host.service, this.name);
    this.#running = {
      settings: this.#settings,
      instance: this.#host.instance,
      clock,
      ledger,
      leases,
      key,
      register: new StateRegister(registers, clock, ledger.name, key, this.#ended),
      operation: this.#operation,
      held: this.#held,
      draining: this.#draining,
      closing: this.#host.closing,
    };
    return this.#running;
  }
}

function standingOf(state: ScheduleState | null, { rules }: Settings, now: number): Standing {
  if (state === null) {
    const first = rules.cadence.next(now);
    const next = first === null ? null : new Date(first);
    return { since: null, handledUntil: null, next, paused: null, running: null, ticks: [] };
  }
  const { since, handledUntil, paused, current, stop, ticks } = state;
  const next = paused === null ? nextAt(state, now, rules) : null;
  return {
    since: new Date(since),
    handledUntil: new Date(handledUntil),
    next: next === null ? null : new Date(next),
    paused: paused === null ? null : { ...paused, at: new Date(paused.at) },
    running:
      current === null
        ? null
        : {
            at: new Date(current.at),
            startedAt: new Date(current.startedAt),
            holder: current.holder,
            token: current.token,
            starts: current.starts,
            stopping: stop === current.at,
          },
    ticks: ticks.map(tickEnd),
  };
}

function tickEnd({ at, is, from, ticks, startedAt, endedAt, holder, counts, why }: EndedTick): TickEnd {
  return {
    at: new Date(at),
    is,
    from: from === null ? null : new Date(from),
    ticks,
    startedAt: startedAt === null ? null : new Date(startedAt),
    endedAt: new Date(endedAt),
    lateMs: startedAt === null ? null : startedAt - at,
    holder,
    counts,
    why,
  };
}
