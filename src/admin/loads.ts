import type { DeclaredLoad } from "../load/loads.ts";
import type {
  LastRefusal,
  LoadPreview,
  LoadReconciliation,
  LoadResult,
  LoadRun,
  RangeOptions,
  ReconcileOptions,
  RunOptions,
} from "../load/surface.ts";
import type { Inside } from "../observe/inside.ts";
import { find } from "./declared.ts";

export interface ShownLoad {
  readonly name: string;
  readonly owner: string | undefined;
  /** As declared. */
  readonly from: string;
  readonly into: string;
  /** `null`: it has not run, or longer ago than runs are kept. */
  readonly newest: LoadRun | null;
  /** What kept the last run from writing; `null`: none was refused, or a later run began. */
  readonly refusal: LastRefusal | null;
}

/**
 * The loads that are declared in this process, by their names: each verb does what the load's own does.
 *
 * @throws REPRISE_BAD_DECLARATION for a name that is not declared here; what the load's own verb throws
 */
export interface LoadAdministration {
  readonly list: () => Promise<readonly ShownLoad[]>;
  readonly show: (name: string) => Promise<ShownLoad>;
  /** The newest first, 20 unless `limit` says otherwise. */
  readonly runs: (name: string, limit?: number) => Promise<readonly LoadRun[]>;
  readonly preview: (name: string, range?: RangeOptions) => Promise<LoadPreview>;
  readonly run: (name: string, options?: RunOptions) => Promise<LoadResult>;
  readonly reconcile: (name: string, options?: ReconcileOptions) => Promise<LoadReconciliation>;
}

export function administerLoads(inside: Inside): LoadAdministration {
  const declaredAs = (name: string) => find("load", inside.loads(), name);
  const loadOf = async (name: string) => declaredAs(name).load;
  return {
    list: async () => {
      const shown: ShownLoad[] = [];
      // one after the other: whoever looks takes one connection, not all
      for (const declared of inside.loads()) shown.push(await show(declared));
      return shown;
    },
    show: async (name) => show(declaredAs(name)),
    runs: async (name, limit) => (await loadOf(name)).runs(limit),
    preview: async (name, range) => (await loadOf(name)).preview(range),
    run: async (name, options) => (await loadOf(name)).run(options),
    reconcile: async (name, options) => (await loadOf(name)).reconcile(options),
  };
}

async function show({ name, owner, declaration, load }: DeclaredLoad): Promise<ShownLoad> {
  const [newest = null] = await load.runs(1);
  const refusal = await load.refusal();
  const { from, into } = declaration;
  return { name, owner, from: typeof from === "string" ? from : "a query", into, newest, refusal };
}
