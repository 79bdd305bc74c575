import type { Clock } from "../base/clock.ts";
import { defaults } from "../base/defaults.ts";
import { RepriseError } from "../base/errors.ts";
import { LastAnswer } from "../base/last-answer.ts";
import { withDeadline } from "../base/promise.ts";
import type { Source, SourceStanding } from "../contract/source.ts";

/** Nobody knows. */
const unknown: SourceStanding = { waiting: null, setAside: null };

/**
 * How much there is at a source.
 * @throws REPRISE_SOURCE_AWAY, and what the source rejects with
 */
export async function askStanding(source: Source, clock: Clock): Promise<SourceStanding> {
  if (source.standing === undefined) return unknown;
  const told = { source: source.name, doing: "telling how much there is" };
  const away = () => new RepriseError("REPRISE_SOURCE_AWAY", told);
  return withDeadline(clock, defaults.consume.settleMs, source.standing(), away);
}

/** How much there is, as it was told last. */
export function lastStandingOf(source: Source, clock: Clock): LastAnswer<SourceStanding> {
  const { settleMs: withinMs, standingEveryMs: everyMs } = defaults.consume;
  const ask = async () => (await source.standing?.()) ?? unknown;
  return new LastAnswer({ clock, ask, unknown, everyMs, withinMs });
}
