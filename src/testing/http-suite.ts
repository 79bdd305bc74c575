import type { HttpAdapter } from "./http-adapter.ts";
import { collectRules } from "./http-stage.ts";
import { addFailureRules } from "./http-suite-failures.ts";
import { addKeyRules } from "./http-suite-key.ts";
import { addOutcomeRules } from "./http-suite-outcome.ts";
import { addTellingRules } from "./http-suite-telling.ts";
import type { SuiteCase } from "./suite.ts";

/**
 * What every HTTP adapter keeps to: the rules of draft-ietf-httpapi-idempotency-key-header-07, and what experience adds to
 * them. A rule has a number that stays its own, and a sentence; its cases share both. 1 to 9 the key, 11 to 22 the
 * outcome, 31 to 42 what is told in its place and to whom, 51 to 58 what fails.
 *
 * @example
 * for (const { name, run } of httpSuite(myAdapter)) test(name, run);
 */
export function httpSuite(adapter: HttpAdapter): readonly SuiteCase[] {
  const { cases, rule } = collectRules(adapter);
  addKeyRules(rule);
  addOutcomeRules(rule);
  addTellingRules(rule);
  addFailureRules(rule, adapter);
  return cases;
}
