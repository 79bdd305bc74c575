import { inspect } from "node:util";
import type { Decided } from "../decisions/decided.ts";

/**
 * A process of its own, which imports somebody's module and tells what the instances that it exports declare. Whatever else
 * the module begins ends with this process.
 */

export type Imported =
  | { readonly is: "imported"; readonly services: readonly DeclaredService[] }
  | { readonly is: "failed"; readonly code: string | null; readonly why: string };

export interface DeclaredService {
  readonly service: string;
  readonly decisions: readonly Decided[];
}

/** An instance of this copy of the package or of another: told by its shape. */
interface Instance {
  readonly decisions: () => readonly Decided[];
  readonly "~inside": { readonly service: string };
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
void read(url).then((imported) => process.send?.(imported));

async function read(module: string): Promise<Imported> {
  try {
    const exported = (await import(module)) as object;
    const services = instancesOf(exported).map((instance) => ({
      service: instance["~inside"].service,
      decisions: instance.decisions(),
    }));
    return { is: "imported", services };
  } catch (error) {
    const code = error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : null;
    return { is: "failed", code, why: inspect(error).slice(0, mostOfWhy) };
  }
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
