import { systemClock } from "../../base/clock.ts";
import { RepriseError } from "../../base/errors.ts";
import { nameOf } from "../../operation/carried.ts";
import type { Carried } from "../../operation/carry.ts";
import type { AzureContext, AzureTimer } from "./azure-shapes.ts";
import { type Declared, endsWithinOf } from "./azure-time.ts";
import { type FunctionOptions, Invocation } from "./invocation.ts";
import { Messages } from "./message.ts";

/** What a timer's call is for. */
export interface Tick {
  /**
   * The instant that the schedule names, the same however late the call comes and however often it is repeated. Where the host
   * keeps no status (schedules of less than a minute, or `useMonitor: false`) it is the second of the call.
   */
  readonly at: Date;
  /** The host was away at that instant, and catches up. */
  readonly isPastDue: boolean;
}

export interface AzureTimerOptions<out In> extends FunctionOptions, Declared {
  /** What is to be done at a tick. The operation's identity should name the tick, or the day of it. */
  readonly input: (tick: Tick) => In;
  /** The caller's key. Default, of an operation that has no other identity: the tick's instant. */
  readonly key?: ((tick: Tick) => string) | undefined;
}

/** @throws REPRISE_BAD_DECLARATION, REPRISE_BAD_DURATION */
export function createTimerHandler<In>(
  operation: Carried<In, unknown, unknown>,
  options: AzureTimerOptions<In>,
): (timer: AzureTimer, context: AzureContext) => Promise<void> {
  const name = nameOf(operation, "a timer function");
  const where = `the timer function of '${name}'`;
  const endsWithinMs = endsWithinOf(options, where);
  if (typeof options.input !== "function") {
    const mend = "Let 'input' make it of the tick.";
    throw new RepriseError("REPRISE_BAD_DECLARATION", { where, why: "a tick says not what is to be done.", mend });
  }
  const isNamedByTick = operation["~carry"].contract.identity === "callers-key";
  const keyOf = options.key ?? (isNamedByTick ? ({ at }: Tick) => at.toISOString() : undefined);

  const { takes, waitUntil } = options;
  const key = keyOf && (() => "");
  const messages = new Messages(operation as Carried<never, unknown, unknown>, { takes, waitUntil, key }, where);

  return async (timer) => {
    const tick: Tick = { at: nominalOf(timer), isPastDue: timer.isPastDue };
    const invocation = new Invocation(messages.settings, endsWithinMs);
    const ending = await messages.perform(
      { input: () => options.input(tick), key: keyOf && (() => keyOf(tick)), sentAt: null },
      invocation,
    );
    await invocation.end();
    if (ending.is !== "acknowledge") throw ending.error;
  };
}

/**
 * The host tells its status as it was before the call: `next` is the instant that is due now. Should it be written before the
 * call, `last` is: of the two, the later one that has come.
 */
function nominalOf({ scheduleStatus }: AzureTimer): Date {
  const now = systemClock.now();
  const due = [scheduleStatus?.next, scheduleStatus?.last]
    .map((text) => Date.parse(text ?? ""))
    // a host fires a little early, and writes the year 1 for never
    .filter((instant) => instant > 0 && instant <= now + earlyMs);
  return due.length > 0 ? new Date(Math.max(...due)) : new Date(Math.floor(now / 1_000) * 1_000);
}

const earlyMs = 1_000;
