import type { Clock } from "../../base/clock.ts";
import { defaults } from "../../base/defaults.ts";
import { RepriseError } from "../../base/errors.ts";

/**
 * What time it is at the store. It tells that with each answer, cut to the second; nothing can be written or compared by it.
 * So it is known between two bounds: what is written down ends by the later one, and what was written down has ended only
 * by the earlier one. Whatever the clocks of the processes say, nothing then ends too early; it may end some seconds late.
 */
export interface Moment {
  /** It is no earlier at the store. */
  readonly earliest: number;
  /** It is no later at the store, when what was made of this moment is sent. */
  readonly latest: number;
}

export interface StoreClock {
  readonly moment: () => Moment;
  /** The time of this process's clock at which a request is sent. */
  readonly sending: () => number;
  readonly observe: (date: string | null | undefined, sentAt: number) => void;
  /**
   * How often the store's clock was later than this process could know. Between two calls a function's process may stand
   * still, its clock with it: what was written meanwhile ends too early and is to be written again.
   */
  readonly jumps: () => number;
}

/** Dates are told in seconds. */
const resolutionMs = 1_000;

/** How far apart the two bounds are, beside the time that a request takes. */
export const uncertaintyMs = resolutionMs + defaults.items.serversApartMs;

export function createStoreClock(clock: Pick<Clock, "monotonic">, ledger: () => string): StoreClock {
  let last: { readonly date: number; readonly sentAt: number; readonly receivedAt: number } | undefined;
  let jumps = 0;

  const moment = (): Moment => {
    if (last === undefined) throw noDate(ledger());
    const now = clock.monotonic();
    return {
      earliest: last.date + now - last.receivedAt,
      latest: last.date + uncertaintyMs + now - last.sentAt,
    };
  };

  return {
    moment,
    sending: clock.monotonic,
    observe: (told, sentAt) => {
      const date = Date.parse(told ?? "");
      if (Number.isNaN(date)) throw noDate(ledger());
      if (last !== undefined && date > moment().latest) jumps += 1;
      last = { date, sentAt, receivedAt: clock.monotonic() };
    },
    jumps: () => jumps,
  };
}

/**
 * How long until an instant that was written down has passed: as little as it may be while it cannot have, and then as
 * much. Zero or less: it has, for all.
 */
export function leftUntil(instant: number, { earliest, latest }: Moment): number {
  return instant > latest ? instant - latest : instant - earliest;
}

function noDate(ledger: string): RepriseError {
  const why = "its answers carry no date, by which it judges leases: a proxy may have taken it away";
  return new RepriseError("REPRISE_LEDGER_UNUSABLE", { ledger, why });
}
