import type { ConsumerRow } from "../admin/consumer-rows.ts";
import type { LoadRow } from "../admin/load-rows.ts";
import type { ScheduleRow } from "../admin/schedule-rows.ts";
import type { Decided } from "../decisions/decided.ts";
import type { Inside } from "../observe/inside.ts";
import type { Metrics } from "../observe/metrics.ts";
import type { Curve } from "../observe/working-set/curve.ts";
import { cacheQuestions } from "./cache-questions.ts";
import { consumerQuestions } from "./consumer-questions.ts";
import { jobQuestions } from "./job-questions.ts";
import { asked, counted, ownersOf, totalOf, whole, windowOf } from "./question-words.ts";
import type { Question, QuestionState } from "./wire.ts";

/** What the answers rest on beside the declarations. */
export interface Grounds {
  readonly metrics: Metrics;
  readonly memory: ReturnType<Inside["memory"]>;
  /** Of all caches together; `undefined`: nobody watches. */
  readonly curve: Curve | undefined;
  readonly jobs: {
    readonly loads: readonly LoadRow[];
    readonly schedules: readonly ScheduleRow[];
    readonly consumers: readonly ConsumerRow[];
  };
}

/**
 * The questions that production systems get wrong by default, as far as there is something to say about them here. An
 * answer counts as evidence when something measured it; what only stands in the code is declared.
 */
export function questionsOf(decided: readonly Decided[], grounds: Grounds): readonly Question[] {
  const caches = decided.filter(({ kind }) => kind === "cache");
  const operations = decided.filter(({ kind }) => kind === "operation");
  const open = decided.filter(({ kind, undecided }) => kind === "route" && undecided.includes("ifRunsAgain"));
  return [
    ...(caches.length === 0 ? [] : cacheQuestions(caches, grounds)),
    ...(open.length > 0 ? [undecidedRoutes(open, grounds.metrics)] : []),
    ...(open.length > 0 || operations.length === 0 ? [] : [repeatedRequest(operations, grounds.metrics)]),
    ...jobQuestions(decided, grounds.jobs),
    ...consumerQuestions(decided, grounds),
  ];
}

function repeatedRequest(operations: readonly Decided[], metrics: Metrics): Question {
  const open = operations.filter(({ undecided }) => undecided.length > 0);
  const replayed = totalOf(metrics.operations, "replayed");
  const state: QuestionState = open.length > 0 ? "undecided" : replayed > 0 ? "evidence" : "declared";
  return {
    ...asked("A"),
    state,
    answer:
      open.length > 0
        ? `Nobody has decided this in full for **${open.length} of ${operations.length}** operations.`
        : replayed > 0
          ? `**${whole(replayed)}** repeated requests were answered from the ledger.`
          : `**${operations.length} of ${operations.length}** operations are declared. None has been repeated yet.`,
    detail: `${whole(totalOf(metrics.operations, "ran"))} ran, ${whole(totalOf(metrics.operations, "mismatch"))} came with the same key and other input.`,
    owners: open.length > 0 ? "nobody" : ownersOf(operations),
    source: open.length > 0 ? open.map(({ name }) => name).join(", ") : `counted, ${windowOf(metrics)}`,
  };
}

const requestsOf = counted("request", "requests");

/** They come first: what is no operation at all runs again on every retry. */
function undecidedRoutes(routes: readonly Decided[], metrics: Metrics): Question {
  const open = routes.map(({ name }) => name);
  const requests = metrics.routes.filter(({ name }) => open.includes(name)).reduce((sum, one) => sum + one.requests, 0);
  const many = open.length > 1;
  return {
    ...asked("A"),
    state: "undecided",
    answer: `Nobody has decided this for **${whole(open.length)}** ${many ? "routes that change something and are no operations" : "route that changes something and is no operation"}.`,
    detail: `Each request runs again: ${requestsOf(requests)}, ${windowOf(metrics)}.`,
    owners: "nobody",
    source: `routes of the watched applications: ${open.join(", ")}`,
  };
}
