import type { Dimensions } from "../base/config.ts";
import { defaults } from "../base/defaults.ts";
import { isUnchecked } from "../base/schema.ts";
import type { Change } from "../cache/change.ts";
import type { CacheDeclaration } from "../cache/declaration.ts";
import type { ConsumeDeclaration } from "../consume/declaration.ts";
import type { ConsumeSettings } from "../consume/settings.ts";
import type { LoadDeclaration } from "../load/declaration.ts";
import type { OperationDeclaration } from "../operation/declaration.ts";
import type { AnyOutboxDeclaration } from "../outbox/declaration.ts";
import type { OutboxSettings } from "../outbox/settings.ts";
import type { IfMissed, ScheduleDeclaration } from "../schedule/declaration.ts";
import { callerContract } from "./caller-contract.ts";
import type { Answer, Decided } from "./decided.ts";

/** What `createReprise` answers for all of its caches. */
export interface InstanceAnswers {
  readonly sources?: Readonly<Record<string, { readonly loadsAtOnce: number }>> | undefined;
  /** Declared; `undefined`: the default, which differs in production. */
  readonly secrets?: "refuse" | "warn" | "off" | undefined;
}

/** Reads a cache's declaration: every question with its answer. */
export function decideCache(
  declaration: CacheDeclaration,
  changes: readonly Change<string>[],
  instanceOwner: string | undefined,
  dimensions: Dimensions,
  instance: InstanceAnswers = {},
): Decided {
  const owner = declaration.owner ?? instanceOwner;
  return decided("cache", declaration.name, owner, {
    owner: answer(owner),
    pattern: declared(declaration.pattern),
    tradeOff: declared(tradeOffs[declaration.pattern]),
    holds: answer(declaration.holds),
    ifStale: answer(declaration.ifStale),
    scope: declared(declaration.scope.join(", ")),
    ...(Object.keys(dimensions).length === 0
      ? {}
      : { sameForEvery: declared((declaration.sameForEvery ?? []).join(", ") || "nothing: all are in scope") }),
    freshFor: declared(declaration.freshFor),
    staleFor: declaration.staleFor === undefined ? byDefault("not served stale") : declared(declaration.staleFor),
    absentFor: orDefault(declaration.absentFor, "as long as any value"),
    changedBy:
      changes.length === 0
        ? byDefault("time alone")
        : declared(changes.map((change) => `${change.operation} (${change.verb})`).join(", ")),
    ...decideLoads(declaration, instance.sources),
    ...decideWrites(declaration),
    jitter: orDefault(given(declaration.jitter), `${defaults.cache.jitter}`),
    protect: orDefault(declaration.protect, "as any other entry"),
    clone:
      declaration.clone === true
        ? declared("each read gets a copy of its own")
        : byDefault(
            "all reads share one value; outside production its objects, arrays, maps, sets and dates are read-only",
          ),
    secrets: instance.secrets === undefined ? byDefault("warn, and off in production") : declared(instance.secrets),
  });
}

/** What each pattern gives in consistency, and what that costs: a sentence each. */
const tradeOffs: Readonly<Record<CacheDeclaration["pattern"], string>> = {
  "read-through":
    "A read is as old as its load, and never older than a change that the cache was told of. A change that it is not told of shows when the value's time is over, and what nobody has read yet is loaded while somebody waits.",
  "cache-aside":
    "A read is as old as what the application stored last; a load that a change outdated is not stored. Each change of the data is the application's to tell, and a forgotten one shows until the value's time is over.",
  "write-through":
    "Whoever reads after a write has its value or a newer one. A write takes as long as the source, and fails with it.",
  "write-behind":
    "Readers of the cache see a write at once; whoever reads the source itself sees it late. A write costs no wait for the source, and its acknowledgement is worth what the declaration says of a crash.",
};

/** How values come from the source, and what keeps their loads few. */
function decideLoads(declaration: CacheDeclaration, sources: InstanceAnswers["sources"]): Record<string, Answer> {
  const { refresh, early, queue, deadline, source, loadMany } = declaration;
  const atOnce = source === undefined ? undefined : sources?.[source]?.loadsAtOnce;
  return {
    flight: byDefault("one load per key"),
    loadMany:
      loadMany === undefined
        ? byDefault("each missing key loads by itself")
        : declared("one call for all that is missing"),
    refresh:
      refresh === undefined
        ? byDefault("none in the background")
        : declared(`the ${refresh.hottest} hottest, each every ${refresh.every}`),
    early: orDefault(given(early), `${defaults.cache.beta}`),
    "deadline.soft": orDefault(deadline?.soft, "a stale value is served at once"),
    "deadline.hard": orDefault(deadline?.hard, seconds(defaults.cache.hardDeadlineMs)),
    queue:
      queue === undefined
        ? byDefault("as many reads wait as come")
        : declared(`${queue.most} may wait, then ${queue.then}`),
    source:
      source === undefined
        ? byDefault("no bound that caches share")
        : declared(atOnce === undefined ? source : `${source}, ${atOnce} loads at once`),
  };
}

function decideWrites({ pattern, ifLost }: CacheDeclaration): Record<string, Answer> {
  if (pattern === "write-through") return { write: declared("to the source, then to the cache") };
  if (pattern !== "write-behind") return {};
  return {
    write: declared("to the journal, later to the source"),
    ifLost: declared(typeof ifLost === "object" ? `the last ${ifLost.accept} may be` : (ifLost ?? "never")),
  };
}

/** Reads an operation's declaration: every question with its answer, and what its callers are promised. */
export function decideOperation(declaration: OperationDeclaration, instanceOwner: string | undefined): Decided {
  const owner = declaration.owner ?? instanceOwner;
  const { principal, identity, effects, dispatch, sameIntent } = declaration;
  const replays = (declaration.ifRunsAgain ?? "replays") === "replays";
  const recorded: Record<string, Answer> = replays
    ? {
        principal: declared(typeof principal === "function" ? "from the input" : (principal ?? "everyone")),
        identity: declared(typeof identity === "function" ? "from the input" : (identity ?? "callers-key")),
        retention: answer(declaration.retention),
        sameIntent: orDefault(sameIntent && `compared within ${sameIntent.within}`, "not compared"),
        outcomeLimit: orDefault(declaration.outcomeLimit, `${defaults.operation.outcomeLimitBytes / 1_024}kb`),
      }
    : {};
  const leased: Record<string, Answer> =
    effects === "external"
      ? {
          dispatch: orDefault(dispatch && (dispatch === "background" ? dispatch : "by a broker"), "the caller waits"),
          lease: orDefault(declaration.lease, seconds(defaults.operation.leaseMs)),
          resumes: orDefault(declaration.resumes, dispatch === undefined ? "next-attempt" : "by-itself"),
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

/** Reads a load's declaration: every question with its answer. */
export function decideLoad(declaration: LoadDeclaration, instanceOwner: string | undefined): Decided {
  const owner = declaration.owner ?? instanceOwner;
  const { from, into, identity, newer, ifSameVersionDiffers, ifSourceRepeatsKey, ifSourceLost, windows } = declaration;
  return decided("load", declaration.name, owner, {
    owner: answer(owner),
    ifRunsAgain: answer(declaration.ifRunsAgain),
    costIfTwice: orDefault(declaration.costIfTwice, "nothing: a rerun writes differences alone"),
    from: declared(typeof from === "string" ? from : "a query"),
    into: declared(into),
    identity: declared(identity.join(", ")),
    newer: declared(typeof newer === "string" ? newer : `what comes later: ${newer.none}`),
    ifSameVersionDiffers: declared(ifSameVersionDiffers),
    ifSourceRepeatsKey: declared(ifSourceRepeatsKey),
    ifSourceLost: declared(
      ifSourceLost === "keep" ? "keep" : `marked in ${ifSourceLost.mark}, at most ${ifSourceLost.atMost} of a window`,
    ),
    windows: declared(windowsInWords(windows)),
    columns: orDefault(declaration.columns?.join(", "), "all that both sides have"),
    lease: orDefault(declaration.lease, seconds(defaults.load.leaseMs)),
  });
}

function windowsInWords(windows: LoadDeclaration["windows"]): string {
  if (windows === "whole") return "one statement";
  return "rows" in windows
    ? `${windows.rows.toLocaleString("en-US")} rows each`
    : `by ${windows.by}, ${windows.each} each`;
}

/** Reads a schedule's declaration: every question with its answer. */
export function decideSchedule(declaration: ScheduleDeclaration, instanceOwner: string | undefined): Decided {
  const owner = declaration.owner ?? instanceOwner;
  const { at, every, timeZone, ifStillRunning, ifMissed, retention, lease, leases, work, each, atOnce } = declaration;
  const records: Record<string, Answer> =
    work === undefined
      ? {}
      : {
          each: declared(each?.name ?? ""),
          atOnce: orDefault(given(atOnce), `${defaults.schedule.atOnce}`),
        };
  return decided("schedule", declaration.name, owner, {
    owner: answer(owner),
    costIfTwice: answer(declaration.costIfTwice),
    ...(every === undefined ? { at: answer(at), timeZone: answer(timeZone) } : { every: declared(every) }),
    ifStillRunning: declared(ifStillRunning),
    ifMissed: declared(missed(ifMissed)),
    retention: declared(retention),
    ...records,
    lease: orDefault(lease, seconds(defaults.schedule.leaseMs)),
    leases: orDefault(leases?.name, "kept by the ledger"),
  });
}

function missed(ifMissed: IfMissed): string {
  if (ifMissed === "skip") return ifMissed;
  const { run, within } = ifMissed;
  return run === "latest"
    ? `the latest within ${within}`
    : `every one within ${within}, ${ifMissed.atMost} from tick to tick`;
}

/** A consumer, with what its broker has told. */
interface Consumer {
  readonly name: string;
  /** Whoever answers for an operation answers for its messages. */
  readonly owner: string | undefined;
  readonly declaration: Pick<ConsumeDeclaration, "options">;
  readonly settings: ConsumeSettings;
  readonly horizonMs: () => number | null | undefined;
}

/** Reads a consumer's declaration: every question with its answer. Its operation's own answers stand with that. */
export function decideConsumer(consumer: Consumer): Decided {
  const { owner } = consumer;
  const { options } = consumer.declaration;
  const { contract, inOrderBy, keyOf, attempts, atOnce, batch } = consumer.settings;
  const { deliveredWithin, refusals } = options;
  const pauses = options.retryIn ?? defaults.consume.retryIn;
  const orDeclared = (given: unknown, value: string) => (given === undefined ? byDefault(value) : declared(value));
  return decided("consumer", consumer.name, owner, {
    owner: answer(owner),
    operation: declared(contract.operation),
    deliveredWithin: orDefault(deliveredWithin, "as long as the broker delivers"),
    horizon: byDefault(horizonInWords(consumer.horizonMs())),
    attempts: orDeclared(options.attempts, `${attempts}`),
    retryIn: orDeclared(options.retryIn, pauses.join(", ")),
    inOrderBy: inOrderBy === null ? byDefault("in any order") : declared("those of one key one after the other"),
    atOnce: orDeclared(options.atOnce, `${atOnce}`),
    batch:
      batch === null
        ? (options.batch === "off" ? declared : byDefault)("each message has a transaction of its own")
        : options.batch === undefined || options.batch === "off"
          ? byDefault(`up to ${batch.most} that are ready at once share a transaction, where that pays`)
          : declared(`up to ${batch.most} that come within ${options.batch.within} share a transaction`),
    refusals: orDefault(refusals, "acknowledge"),
    key: keyOf === null ? byDefault("the operation's identity") : declared("from the message"),
  });
}

function horizonInWords(ms: number | null | undefined): string {
  if (ms === undefined) return "as the broker tells when it begins";
  return ms === null ? "none: it may be delivered again after any time" : `${lasting(ms)}, as the broker tells`;
}

interface Outbox {
  readonly declaration: AnyOutboxDeclaration;
  readonly settings: Pick<OutboxSettings, "leaseMs" | "limitBytes">;
}

/** Reads an outbox's declaration: every question with its answer. It leaves none open that a person must answer. */
export function decideOutbox({ declaration, settings }: Outbox, instanceOwner: string | undefined): Decided {
  const { name, to, limit, lease } = declaration;
  return decided("outbox", name, instanceOwner, {
    owner: orDefault(instanceOwner, "whoever answers for the work that publishes"),
    to: to === undefined ? byDefault("a queue in the ledger") : declared(to.name),
    limit: orDefault(given(limit), `${settings.limitBytes / 1_024}kb`),
    lease: orDefault(lease, seconds(settings.leaseMs)),
  });
}

interface Route {
  readonly method: string;
  readonly path: string;
  readonly because: string | undefined;
  readonly requests: number;
}

/** A route that changes something and is no operation: unless somebody gave a reason, nobody answers for it. */
export function decideRoute({ method, path, because, requests }: Route, instanceOwner: string | undefined): Decided {
  const owner = because === undefined ? undefined : instanceOwner;
  const answers = { owner: answer(owner), ifRunsAgain: answer(because) };
  return { ...decided("route", `${method} ${path}`, owner, answers), requests };
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
const given = (value: number | string | undefined): string | undefined =>
  value === undefined ? undefined : String(value);
const seconds = (ms: number): string => `${ms / 1_000}s`;
/** In the longest unit that it is a whole number of. */
function lasting(ms: number): string {
  if (ms % 86_400_000 === 0) return `${ms / 86_400_000}d`;
  return ms % 3_600_000 === 0 ? `${ms / 3_600_000}h` : seconds(ms);
}
