import { inspect } from "node:util";
import { isRepriseError } from "../base/errors.ts";
import type { Ledger } from "../contract/ledger.ts";
import type { SchemaDifference, SchemaOptions } from "../contract/ledger-schema.ts";
import type { Decided } from "../decisions/decided.ts";

/**
 * A process of its own, which imports somebody's module and tells what the instances that it exports declare, or what is
 * asked of their ledgers. Whatever else the module begins ends with this process.
 */

export type Task =
  | { readonly does: "declare" }
  | { readonly does: "print" | "migrate"; readonly options: SchemaOptions }
  | { readonly does: "compare" };

export type Imported =
  /** What was asked for is under way. */
  | { readonly is: "imported" }
  | { readonly is: "told"; readonly told: readonly unknown[] }
  | { readonly is: "failed"; readonly code: string | null; readonly why: string }
  /** It was imported; its ledger cannot do what was asked for. */
  | { readonly is: "refused"; readonly why: string };

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

export interface DeclaredService {
  readonly service: string;
  readonly decisions: readonly Decided[];
}

/** An instance of this copy of the package or of another: told by its shape. */
interface Instance {
  readonly decisions: () => readonly Decided[];
  readonly "~inside": { readonly service: string; readonly ledger?: () => Ledger<unknown> | undefined };
}

/** As much of an error as tells where it came from. */
const mostOfWhy = 2_000;

// whoever asked is gone: nobody else ends what the module began
process.once("disconnect", () => process.exit(1));
// listening must not keep a process alive whose module has nothing left to do
process.channel?.unref();

// taken away, so that a module that reads its arguments finds none
const [url = "", task = ""] = process.argv.splice(2);
// not awaited here: of a module that never settles, Node would complain at this line
void read(url, JSON.parse(task) as Task).then((imported) => process.send?.(imported));

async function read(module: string, task: Task): Promise<Imported> {
  let instances: readonly Instance[];
  let declared: readonly DeclaredService[];
  try {
    instances = instancesOf((await import(module)) as object);
    declared = instances.map((instance) => ({
      service: instance["~inside"].service,
      decisions: instance.decisions(),
    }));
  } catch (error) {
    const code = error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : null;
    return { is: "failed", code, why: inspect(error).slice(0, mostOfWhy) };
  }
  if (task.does === "declare") return { is: "told", told: declared };
  process.send?.({ is: "imported" } satisfies Imported);
  try {
    const told: LedgerReport[] = [];
    for (const [ledger, services] of ledgersOf(instances)) told.push(await ask(ledger, services, task));
    return { is: "told", told };
  } catch (error) {
    return { is: "refused", why: sentenceOf(error) };
  }
}

function ledgersOf(instances: readonly Instance[]): ReadonlyMap<Ledger<unknown>, readonly string[]> {
  const services = new Map<Ledger<unknown>, string[]>();
  for (const { "~inside": inside } of instances) {
    const ledger = inside.ledger?.();
    if (ledger !== undefined) services.set(ledger, [...(services.get(ledger) ?? []), inside.service]);
  }
  return services;
}

async function ask(
  { name, schema }: Ledger<unknown>,
  services: readonly string[],
  task: Exclude<Task, { readonly does: "declare" }>,
): Promise<LedgerReport> {
  const about = { ledger: name, services, hasSchema: schema !== undefined };
  if (schema === undefined) return { ...about, statements: [], differences: [] };
  if (task.does === "print") return { ...about, statements: schema.statements(task.options), differences: [] };
  const statements = task.does === "migrate" ? await schema.migrate(task.options) : [];
  const differences = await schema.differences();
  return { ...about, statements, differences: differences.map(({ what, mend }) => ({ what, mend })) };
}

/** What a database said of it, too: that a privilege is missing, on what. */
function sentenceOf(error: unknown): string {
  if (!isRepriseError(error)) return inspect(error).slice(0, mostOfWhy);
  const { message, cause } = error;
  return cause instanceof Error ? `${message}\n${cause.message.split("\n", 1)[0]}` : message;
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
