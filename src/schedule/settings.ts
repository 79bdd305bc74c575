import { defaults } from "../base/defaults.ts";
import { type Duration, milliseconds } from "../base/duration.ts";
import { RepriseError } from "../base/errors.ts";
import { type Cadence, cadenceOfCron, cadenceOfEvery } from "./cadence.ts";
import type { IfMissed, ScheduleDeclaration } from "./declaration.ts";
import type { Rules } from "./due.ts";

/** A declaration with its expression read, its durations measured and its defaults filled in. */
export interface Settings {
  readonly declaration: ScheduleDeclaration;
  readonly name: string;
  readonly rules: Rules;
  readonly leaseMs: number;
  readonly atOnce: number;
}

/**
 * Checks what types cannot see, before anything happens.
 * @throws REPRISE_BAD_DECLARATION, REPRISE_BAD_DURATION
 */
export function settingsOf(declaration: ScheduleDeclaration): Settings {
  const { name, ifStillRunning, lease, atOnce = defaults.schedule.atOnce } = declaration;
  const where = `schedule '${name}'`;
  const refuse = (why: string, mend: string): never => {
    throw new RepriseError("REPRISE_BAD_DECLARATION", { where, why, mend });
  };
  if (typeof name !== "string" || name === "") {
    refuse("it has no name.", "A name is part of every record: give it one.");
  }
  // a store cuts or replaces such characters: two schedules would share what is written down
  if (/[\p{Surrogate}\p{Control}]/u.test(name)) {
    refuse("its name holds a control character or a lone surrogate.", "Name it in letters.");
  }
  if (!["walk-away", "after-it", "stop-it"].includes(ifStillRunning)) {
    refuse(
      "'ifStillRunning' does not say what becomes of a tick that comes due while an earlier one runs.",
      "Say 'walk-away', 'after-it' or 'stop-it'.",
    );
  }
  if (declaration.retention === undefined) {
    refuse("it has no retention.", "Say how long the outcome of a tick is kept: as long as anybody runs it again.");
  }
  checkWork(declaration, refuse);
  if (!(Number.isInteger(atOnce) && atOnce >= 1)) {
    refuse("'atOnce' is no whole number from 1 on.", "Say how many records may run at once.");
  }
  return {
    declaration,
    name,
    rules: {
      ifStillRunning,
      cadence: cadenceOf(declaration, where, refuse),
      ...missedOf(declaration.ifMissed, where),
      retentionMs: milliseconds(declaration.retention, `${where}, retention`),
    },
    leaseMs: lease === undefined ? defaults.schedule.leaseMs : milliseconds(lease, `${where}, lease`),
    atOnce,
  };
}

type Refuse = (why: string, mend: string) => never;

function checkWork({ run, work, each }: ScheduleDeclaration, refuse: Refuse): void {
  if ((run === undefined) === (work === undefined) || (work === undefined) !== (each === undefined)) {
    refuse("it has neither 'run' alone nor 'work' and 'each'.", "Say what a tick does, in one of the two ways.");
  }
  if (typeof (run ?? work) !== "function")
    refuse("what it does is no function.", "Give it 'run', or 'work' and 'each'.");
  if (each === undefined) return;
  const carried = (each as { readonly "~carry"?: { readonly contract: { readonly identity: string } } })["~carry"];
  if (carried === undefined) refuse("'each' is no operation.", "Declare one with reprise.operation.");
  if (carried?.contract.identity === "callers-key") {
    refuse("'each' knows its work by its caller's key alone.", "Give that operation an identity made of its input.");
  }
  if (carried !== undefined && "background" in carried) {
    refuse("'each' is run in the background, so no tick would see it end.", "Leave 'dispatch' out of that operation.");
  }
}

function cadenceOf({ at, every, timeZone }: ScheduleDeclaration, where: string, refuse: Refuse): Cadence {
  if (every !== undefined) {
    if (at !== undefined || timeZone !== undefined) {
      refuse("'every' counts from the epoch, without 'at' and a time zone.", "Give it 'every' alone, or 'at'.");
    }
    return cadenceOfEvery(every, where);
  }
  if (typeof at !== "string") return refuse("it says neither 'at' nor 'every'.", "Say when it is due.");
  if (typeof timeZone !== "string") return refuse("'at' has no time zone.", "Say whose wall clock it names.");
  return cadenceOfCron(at, timeZone, where, defaults.schedule.lookedThrough);
}

function missedOf(ifMissed: IfMissed, where: string): Pick<Rules, "catchesUp" | "withinMs" | "atMost"> {
  if (ifMissed === "skip") return { catchesUp: "newest", withinMs: defaults.schedule.graceMs, atMost: 1 };
  const within = (duration: Duration) => milliseconds(duration, `${where}, ifMissed.within`);
  switch (ifMissed?.run) {
    case "latest":
      return { catchesUp: "newest", withinMs: within(ifMissed.within), atMost: 1 };
    case "every": {
      const { atMost } = ifMissed;
      if (!(Number.isInteger(atMost) && atMost >= 2)) {
        throw new RepriseError("REPRISE_BAD_DECLARATION", {
          where: `${where}, ifMissed.atMost`,
          why: "it is no whole number from 2 on.",
          mend: "With one run from tick to tick it would never catch up: say 2 or more.",
        });
      }
      return { catchesUp: "every", withinMs: within(ifMissed.within), atMost };
    }
    default:
      throw new RepriseError("REPRISE_BAD_DECLARATION", {
        where: `${where}, ifMissed`,
        why: "it does not say what becomes of ticks that nobody could start.",
        mend: "Say 'skip', { run: 'latest', within } or { run: 'every', within, atMost }.",
      });
  }
}
