import type { Dimensions } from "../base/config.ts";
import { defaults } from "../base/defaults.ts";
import { isUnchecked } from "../base/schema.ts";
import type { Change } from "../cache/change.ts";
import type { CacheDeclaration } from "../cache/declaration.ts";
import type { OperationDeclaration } from "../operation/declaration.ts";
import { callerContract } from "./caller-contract.ts";
import type { Answer, Decided } from "./decided.ts";

/** Reads a cache's declaration: every question with its answer. */
export function decideCache(
  declaration: CacheDeclaration,
  changes: readonly Change<string>[],
  instanceOwner: string | undefined,
  dimensions: Dimensions,
): Decided {
  const owner = declaration.owner ?? instanceOwner;
  return decided("cache", declaration.name, owner, {
    owner: answer(owner),
    pattern: declared(declaration.pattern),
    holds: answer(declaration.holds),
    ifStale: answer(declaration.ifStale),
    scope: declared(declaration.scope.join(", ")),
    ...(Object.keys(dimensions).length === 0
      ? {}
      : { sameForEvery: declared((declaration.sameForEvery ?? []).join(", ") || "nothing: all are in scope") }),
    freshFor: declared(declaration.freshFor),
    staleFor: declaration.staleFor === undefined ? byDefault("not served stale") : declared(declaration.staleFor),
    changedBy:
      changes.length === 0
        ? byDefault("time alone")
        : declared(changes.map((change) => `${change.operation} (${change.verb})`).join(", ")),
    flight: byDefault("one load per key"),
    refresh:
      declaration.refresh === undefined
        ? byDefault("none in the background")
        : declared(`the ${declaration.refresh.hottest} hottest, each every ${declaration.refresh.every}`),
    jitter:
      declaration.jitter === undefined ? byDefault(`${defaults.cache.jitter}`) : declared(String(declaration.jitter)),
    deadline: orDefault(declaration.deadline?.hard, seconds(defaults.cache.hardDeadlineMs)),
  });
}

/** Reads an operation's declaration: every question with its answer, and what its callers are promised. */
export function decideOperation(declaration: OperationDeclaration, instanceOwner: string | undefined): Decided {
  const owner = declaration.owner ?? instanceOwner;
  const { principal, identity, effects } = declaration;
  const replays = (declaration.ifRunsAgain ?? "replays") === "replays";
  const recorded: Record<string, Answer> = replays
    ? {
        principal: declared(typeof principal === "function" ? "from the input" : (principal ?? "everyone")),
        identity: declared(typeof identity === "function" ? "from the input" : (identity ?? "callers-key")),
        retention: answer(declaration.retention),
        outcomeLimit: orDefault(declaration.outcomeLimit, `${defaults.operation.outcomeLimitBytes / 1_024}kb`),
      }
    : {};
  const leased: Record<string, Answer> =
    effects === "external"
      ? {
          lease: orDefault(declaration.lease, seconds(defaults.operation.leaseMs)),
          resumes: orDefault(declaration.resumes, "next-attempt"),
          abandonAfter: orDefault(declaration.abandonAfter, seconds(defaults.operation.abandonAfterMs)),
        }
      : {};
  return {
    ...decided("operation", declaration.name, owner, {
      owner: answer(owner),
      ifRunsAgain: answer(declaration.ifRunsAgain),
      costIfTwice: answer(declaration.costIfTwice),
      effects: declared(effects),
      input: isUnchecked(declaration.input) ? none : declared("checked by a schema"),
      ...recorded,
      ...leased,
      refusals: byDeclaration(Object.keys(declaration.refusals ?? {})),
    }),
    contract: callerContract(declaration),
  };
}

function decided(
  kind: Decided["kind"],
  name: string,
  owner: string | undefined,
  answers: Record<string, Answer>,
): Decided {
  const undecided = Object.keys(answers).filter((question) => answers[question]?.is === "undecided");
  return { kind, name, owner, answers, undecided };
}

const none: Answer = { is: "undecided" };
const declared = (value: string): Answer => ({ is: "declared", value });
const byDefault = (value: string): Answer => ({ is: "default", value });
const answer = (value: string | undefined): Answer => (value === undefined ? none : declared(value));
const orDefault = (value: string | undefined, otherwise: string): Answer =>
  value === undefined ? byDefault(otherwise) : declared(value);
const byDeclaration = (codes: readonly string[]): Answer =>
  codes.length === 0 ? byDefault("none") : declared(codes.join(", "));
const seconds = (ms: number): string => `${ms / 1_000}s`;
