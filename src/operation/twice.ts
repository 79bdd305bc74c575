import type { Twice } from "../contract/ledger.ts";
import type { Execution } from "./execution.ts";

/** Of the works with one intent so many pairs are looked at: of two, or of a few that a person's clicks began. */
const pairsLookedAt = 10;

/**
 * Looks, after a success, for another one with the same intent under another identity, counts it and tells whoever listens.
 * What it finds stays listed: the ledger finds it again. A ledger that is away now costs the count, not the finding.
 */
export async function noticeTwice({ host, ledger, settings, counters, work }: Execution): Promise<void> {
  const { intent } = work;
  if (intent === null || settings.sameWithinMs === null) return;
  const query = { operation: settings.name, withinMs: settings.sameWithinMs, intent, limit: pairsLookedAt };
  const found = await ledger.twice(query).catch(() => []);
  for (const { first, second } of found.filter((pair) => endedLast(pair) === work.name)) {
    counters.successTwice += 1;
    host.tell("operation.succeeded-twice", () => ({
      operation: settings.name,
      first: first.id,
      second: second.id,
      apartMs: second.createdAt - first.createdAt,
    }));
  }
}

/** Of two that run at once the one that began first may end last, and only whoever ends last sees both. */
function endedLast({ first, second, names }: Twice) {
  return (first.endedAt ?? 0) > (second.endedAt ?? 0) ? names.first : names.second;
}
