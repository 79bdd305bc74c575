import { inspect } from "node:util";
import { administer } from "../admin/administration.ts";
import { type Decision, decide } from "../admin/decision.ts";
import { type RunRow, runRow, type ShownRow, shownRow, type TwiceRow, twiceRow } from "../admin/rows.ts";
import { type AuditedPage, auditedPage, type ComparedBy, comparedBy, declaredWithinMs } from "../admin/twice.ts";
import { defaults } from "../base/defaults.ts";
import type { Ledger, Note, RecentQuery } from "../contract/ledger.ts";
import type { SchemaDifference, SchemaOptions } from "../contract/ledger-schema.ts";
import type { Decided } from "../decisions/decided.ts";
import type { LoadProgress } from "../load/surface.ts";
import type { Inside } from "../observe/inside.ts";
import { type AnsweredOfJobs, type AskedOfJobs, answerJobs, isOfJobs, stopJob } from "./importing-jobs.ts";

/**
 * A process of its own, which imports somebody's module, tells what the instances that it exports declare, and then does what
 * it is asked with the ledger of one of them, or with the tables of all. Whatever else the module begins ends with this process.
 */

export type Imported =
  | { readonly is: "imported"; readonly services: readonly DeclaredService[] }
  | { readonly is: "failed"; readonly code: string | null; readonly why: string };

export interface DeclaredService {
  readonly service: string;
  readonly decisions: readonly Decided[];
}

/** What is asked of the instance at this place among the services. Its ledger is opened, and nothing in the background. */
export type AskedOfOne = { readonly place: number } & (
  | { readonly verb: "list"; readonly query: Partial<RecentQuery> }
  | { readonly verb: "twice"; readonly operation: string | undefined; readonly limit: number | undefined }
  | { readonly verb: "operations" }
  | { readonly verb: "audit"; readonly operation: string; readonly after: string | null }
  | { readonly verb: "show"; readonly id: string }
  | { readonly verb: "decide"; readonly id: string; readonly decision: Decision; readonly note: Note }
  | AskedOfJobs
  | { readonly verb: "close" }
);

/** What is asked of the tables of all their ledgers, of which none is opened: that would create what is missing. */
export type AskedOfTables =
  | { readonly verb: "print" | "migrate"; readonly options: SchemaOptions }
  | { readonly verb: "compare" };

export type Asked = AskedOfOne | AskedOfTables;

/** What is under way ends as soon as it can. */
export interface AskedToStop {
  readonly verb: "stop";
  readonly place: number;
}

/** Said while what was asked is under way. */
export interface Told {
  readonly is: "progress";
  readonly progress: LoadProgress;
}

export type Answered =
  | { readonly is: "listed"; readonly runs: readonly RunRow[] }
  | { readonly is: "twice"; readonly twice: readonly TwiceRow[] }
  | { readonly is: "operations"; readonly operations: readonly AuditedOperation[] }
  | { readonly is: "audited"; readonly page: AuditedPage }
  | { readonly is: "shown"; readonly shown: ShownRow }
  | AnsweredOfJobs
  | { readonly is: "closed" }
  | { readonly is: "reported"; readonly ledgers: readonly LedgerReport[] }
  | { readonly is: "refused"; readonly code: string | null; readonly why: string };

/** What its successes can be compared by. */
export interface AuditedOperation {
  readonly name: string;
  readonly comparedBy: ComparedBy | null;
  /** `null`: it declares none. */
  readonly withinMs: number | null;
}

/** A ledger and the services that share it. */
export interface LedgerReport {
  readonly ledger: string;
  readonly services: readonly string[];
  /** Whether it has anything to create or to compare. */
  readonly hasSchema: boolean;
  /** Those that create it or, of `migrate`, those that were run. */
  readonly statements: readonly string[];
  readonly differences: readonly SchemaDifference[];
}

/** An instance of this copy of the package or of another: told by its shape. */
interface Instance {
  readonly decisions: () => readonly Decided[];
  readonly close: () => Promise<void>;
  readonly "~inside": Inside;
}

/** As much of an error as tells where it came from. */
const mostOfWhy = 2_000;

// whoever asked is gone: nobody else ends what the module began
process.once("disconnect", () => process.exit(1));
// listening must not keep a process alive whose module has nothing left to do
process.channel?.unref();

// taken away, so that a module that reads its arguments finds none
const [url = ""] = process.argv.splice(2);
// not awaited here: of a module that never settles, Node would complain at this line
void read(url);

async function read(module: string): Promise<void> {
  const say = (message: Imported | Answered | Told) => process.send?.(message);
  try {
    const exported = (await import(module)) as object;
    const instances = instancesOf(exported);
    process.on("message", (asked: Asked | AskedToStop) => {
      if (asked.verb === "stop") stopJob(instances[asked.place]);
      else void answer(instances, asked).then(say);
    });
    // from here on somebody may ask
    process.channel?.ref();
    const services = instances.map((instance) => ({
      service: instance["~inside"].service,
      decisions: instance.decisions(),
    }));
    say({ is: "imported", services });
  } catch (error) {
    say({ is: "failed", ...told(error) });
  }
}

async function answer(instances: readonly Instance[], asked: Asked): Promise<Answered> {
  try {
    return await ("place" in asked ? answerOne(instances[asked.place], asked) : answerTables(instances, asked));
  } catch (error) {
    // the catalogue's sentence stands alone; of anything else, where it came from helps
    const { code, why } = told(error);
    const known = error instanceof Error && code?.startsWith("REPRISE_") === true;
    return { is: "refused", code, why: known ? ("place" in asked ? error.message : withCause(error)) : why };
  }
}

function auditedOperation({ name, declaration }: ReturnType<Inside["operations"]>[number]): AuditedOperation[] {
  // what converges may succeed as often as it likes, and nothing of it is recorded
  if (declaration.ifRunsAgain === "converges") return [];
  return [{ name, comparedBy: comparedBy(declaration), withinMs: declaredWithinMs(declaration) }];
}

async function audit(inside: Inside, operation: string, after: string | null): Promise<AuditedPage> {
  const ledger = await inside.connected();
  const declared = inside.operations().find(({ name }) => name === operation);
  if (ledger === undefined || declared === undefined) throw new Error("there is no such operation");
  return auditedPage(ledger, declared, after, defaults.audit.page);
}

async function answerOne(instance: Instance | undefined, asked: AskedOfOne): Promise<Answered> {
  if (instance === undefined) throw new Error("there is no such instance");
  if (asked.verb === "close") {
    await instance.close();
    return { is: "closed" };
  }
  // of an earlier version, which was never asked for its ledger alone
  if (typeof instance["~inside"].stayAside !== "function") {
    return {
      is: "refused",
      code: null,
      why: "The instance was made by another version of reprise. Run the one that its module uses.",
    };
  }
  // whoever asks for one thing gets that alone: no due tick is run, and no abandoned work is resumed
  instance["~inside"].stayAside();
  const administration = administer(instance);
  if (isOfJobs(asked))
    return answerJobs(administration, asked, (progress) => process.send?.({ is: "progress", progress }));
  switch (asked.verb) {
    case "list":
      return { is: "listed", runs: (await administration.list(asked.query)).map(runRow) };
    case "twice": {
      const { operation, limit } = asked;
      return { is: "twice", twice: (await administration.twice({ operation, limit })).map(twiceRow) };
    }
    case "operations":
      return { is: "operations", operations: instance["~inside"].operations().flatMap(auditedOperation) };
    case "audit":
      return { is: "audited", page: await audit(instance["~inside"], asked.operation, asked.after) };
    case "show":
      return { is: "shown", shown: shownRow(await administration.show(asked.id)) };
    case "decide":
      return { is: "shown", shown: shownRow(await decide(administration, asked.id, asked.decision, asked.note)) };
  }
}

async function answerTables(instances: readonly Instance[], asked: AskedOfTables): Promise<Answered> {
  const ledgers: LedgerReport[] = [];
  for (const [ledger, services] of ledgersOf(instances)) ledgers.push(await report(ledger, services, asked));
  return { is: "reported", ledgers };
}

/** Each with the services that share it. */
function ledgersOf(instances: readonly Instance[]): ReadonlyMap<Ledger<unknown>, readonly string[]> {
  const services = new Map<Ledger<unknown>, string[]>();
  for (const { "~inside": inside } of instances) {
    // an instance of another version may not tell of them
    for (const ledger of [inside.ledger?.(), ...(inside.anchorLedgers?.() ?? [])]) {
      if (ledger !== undefined) services.set(ledger, [...(services.get(ledger) ?? []), inside.service]);
    }
  }
  return services;
}

async function report(
  { name, schema }: Ledger<unknown>,
  services: readonly string[],
  asked: AskedOfTables,
): Promise<LedgerReport> {
  const about = { ledger: name, services, hasSchema: schema !== undefined };
  if (schema === undefined) return { ...about, statements: [], differences: [] };
  if (asked.verb === "print") return { ...about, statements: schema.statements(asked.options), differences: [] };
  const statements = asked.verb === "migrate" ? await schema.migrate(asked.options) : [];
  const differences = await schema.differences();
  return { ...about, statements, differences: differences.map(({ what, mend }) => ({ what, mend })) };
}

/** Also what a database said: that a privilege is missing, on what. */
function withCause({ message, cause }: Error): string {
  return cause instanceof Error ? `${message}\n${cause.message.split("\n", 1)[0]}` : message;
}

function told(error: unknown): { readonly code: string | null; readonly why: string } {
  const code = error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : null;
  return { code, why: inspect(error).slice(0, mostOfWhy) };
}

/** Those that the module exports, by name, as its default, or as a part of an object that it exports. */
function instancesOf(exported: object): readonly Instance[] {
  const found = new Set<Instance>();
  const look = (value: unknown, deeper: number): void => {
    if (typeof value !== "object" || value === null) return;
    if (isInstance(value)) found.add(value);
    else if (deeper > 0) for (const part of Object.values(value)) look(part, deeper - 1);
  };
  // of a CommonJS module, what it exports is itself a part of the default
  look(exported, 3);
  return [...found];
}

function isInstance(value: object): value is Instance {
  if (!("~inside" in value && "decisions" in value)) return false;
  const inside = value["~inside"];
  return typeof value.decisions === "function" && typeof inside === "object" && inside !== null && "service" in inside;
}
