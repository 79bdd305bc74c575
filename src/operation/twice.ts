import type { Execution } from "./execution.ts";

/**
 * Looks, after a success, for an earlier one with the same intent under another identity, and counts it. What it finds stays
 * listed: the ledger finds it again. A ledger that is away now costs the count, not the finding.
 */
export async function noticeTwice({ ledger, settings, counters, work }: Execution): Promise<void> {
  const { intent } = work;
  if (intent === null || settings.sameWithinMs === null) return;
  const query = { operation: settings.name, withinMs: settings.sameWithinMs, intent, limit: 1 };
  const [found] = await ledger.twice(query).catch(() => []);
  if (found?.name === work.name) counters.successTwice += 1;
}
