import { isDeepStrictEqual } from "node:util";
import { isRepriseError, RepriseError } from "../base/errors.ts";
import { encodeScalars } from "../base/scalar.ts";
import { meaningOf } from "../cache/guard/secret-names.ts";

/** What `verifyScope` needs of a cache. */
export interface VerifiableCache<in P, out V> {
  readonly name: string;
  /** Calls the declared loader in the caller's async context, and stores nothing. */
  readonly "~load": (scope: P) => Promise<V>;
}

/** A request, as the application would make it. */
export interface VerifiedContext<out P> {
  readonly scope: P;
  /** Stands in findings; by default its place in the list. */
  readonly name?: string | undefined;
  /** Runs the load as this request: `(work) => reprise.context.run({ user: "ann" }, work)`, or the application's own. */
  readonly within: <T>(work: () => T) => T;
}

interface Found {
  /** The names of the cache's scope. */
  readonly scope: readonly string[];
  /** The two that were compared; the same one twice where it needs no other. */
  readonly contexts: readonly [string, string];
}

export type ScopeFinding =
  /** Under one key two contexts get different values: at `path`, by names of properties and places in arrays. */
  | (Found & { readonly kind: "differs"; readonly path: string })
  /** Two loads in the same context differ at `path`: nothing can be said of it. Leave it out, or stop the clock. */
  | (Found & { readonly kind: "unstable"; readonly path: string })
  /** The loader read a dimension of `reprise.context` that is not in the scope. */
  | (Found & { readonly kind: "leak"; readonly dimension: string });

/**
 * Loads a cache's values under different contexts, and tells where those of the same scope differ: there one caller
 * would be served what was made for another. No findings is what a test expects. Each context loads twice, in turns, so
 * that what is merely not deterministic is told as `unstable`. Findings carry paths, never values; of a pair of contexts
 * the first 20 paths. Functions and private fields are not compared.
 *
 * Rejects with a load's own error where every context of a scope fails; a load that fails in some contexts alone is a
 * finding.
 *
 * @throws REPRISE_BAD_DECLARATION no two contexts have the same scope, so there is nothing to compare
 * @example
 * const asUser = (user: string) => ({ scope: { workshop: "w1" }, name: user, within: (work) => reprise.context.run({ user }, work) });
 * expect(await verifyScope(seats, [asUser("ann"), asUser("bob")])).toEqual([]);
 */
export async function verifyScope<P extends object, V>(
  cache: VerifiableCache<P, V>,
  contexts: readonly VerifiedContext<P>[],
): Promise<readonly ScopeFinding[]> {
  const groups = new Map<string, Subject<P>[]>();
  for (const [place, context] of contexts.entries()) {
    const key = keyOf(context.scope, cache.name);
    const subject: Subject<P> = { context, name: context.name ?? `context ${place + 1}`, outcomes: [] };
    groups.set(key, [...(groups.get(key) ?? []), subject]);
  }
  const compared = [...groups.values()].filter((group) => group.length > 1);
  if (compared.length === 0) {
    throw new RepriseError("REPRISE_BAD_DECLARATION", {
      where: `verifyScope of cache '${cache.name}'`,
      why: "No two contexts have the same scope, so there is nothing to compare.",
      mend: "Give at least two contexts of different requests under the same scope.",
    });
  }
  const findings: ScopeFinding[] = [];
  for (const group of compared) {
    // in turns: what changes with time then differs within a context too
    for (let turn = 0; turn < 2; turn += 1) {
      for (const { context, outcomes } of group) outcomes.push(await load(cache, context));
    }
    findings.push(...compare(group));
  }
  return findings;
}

interface Subject<P> {
  readonly context: VerifiedContext<P>;
  readonly name: string;
  readonly outcomes: Outcome[];
}

type Outcome =
  | { readonly kind: "value"; readonly value: unknown }
  | { readonly kind: "failed"; readonly error: unknown }
  | { readonly kind: "leak"; readonly dimension: string };

const mostPaths = 20;
const success = "(whether it loads)";

function keyOf(scope: object, cache: string): string {
  const parts = Object.entries(scope).filter(([, part]) => part !== undefined);
  parts.sort(([one], [other]) => (one < other ? -1 : 1));
  return encodeScalars(parts.flat(), `verifyScope of cache '${cache}'`);
}

async function load<P, V>(cache: VerifiableCache<P, V>, context: VerifiedContext<P>): Promise<Outcome> {
  try {
    return { kind: "value", value: await context.within(() => cache["~load"](context.scope)) };
  } catch (error) {
    if (!isRepriseError(error, "REPRISE_SCOPE_LEAK")) return { kind: "failed", error };
    return { kind: "leak", dimension: error.details.dimension };
  }
}

function compare<P extends object>(group: readonly Subject<P>[]): readonly ScopeFinding[] {
  const scope = Object.keys(group[0]?.context.scope ?? {});
  const findings: ScopeFinding[] = [];
  const sound: { readonly name: string; readonly outcome: Outcome; readonly unstable: readonly string[] }[] = [];
  for (const { name, outcomes } of group) {
    const contexts = [name, name] as const;
    const leak = outcomes.find((outcome) => outcome.kind === "leak");
    if (leak !== undefined) {
      findings.push({ kind: "leak", scope, contexts, dimension: leak.dimension });
      continue;
    }
    const [first, second] = outcomes;
    if (first === undefined || second === undefined) continue;
    const unstable = differences(first, second);
    for (const path of unstable) findings.push({ kind: "unstable", scope, contexts, path });
    sound.push({ name, outcome: first, unstable });
  }
  const [first, ...others] = sound;
  if (first === undefined) return findings;
  const failed = sound.find(({ outcome }) => outcome.kind === "failed");
  if (failed?.outcome.kind === "failed" && findings.length === 0 && sound.every((s) => s.outcome.kind === "failed")) {
    throw failed.outcome.error;
  }
  for (const other of others) {
    const unstable = [...first.unstable, ...other.unstable];
    for (const path of differences(first.outcome, other.outcome)) {
      if (unstable.some((known) => isWithin(path, known))) continue;
      findings.push({ kind: "differs", scope, contexts: [first.name, other.name], path });
    }
  }
  return findings;
}

const isWithin = (path: string, outer: string): boolean =>
  outer === success || path === outer || (path.startsWith(outer) && /[.[]/.test(path.charAt(outer.length)));

function differences(one: Outcome, other: Outcome): readonly string[] {
  if (one.kind !== other.kind) return [success];
  if (one.kind !== "value" || other.kind !== "value") return [];
  const paths: string[] = [];
  descend(one.value, other.value, "", paths, new Set());
  return paths.map((path) => path.replace(/^\./, "") || "(the value itself)");
}

/** Adds the paths at which the two differ. What it cannot enter differs as a whole. */
function descend(one: unknown, other: unknown, path: string, paths: string[], entered: Set<object>): void {
  if (paths.length >= mostPaths || (typeof one === "function" && typeof other === "function")) return;
  if (isDeepStrictEqual(one, other)) return;
  if (!isEnterable(one) || !isEnterable(other) || Object.getPrototypeOf(one) !== Object.getPrototypeOf(other)) {
    paths.push(path);
    return;
  }
  if (entered.has(one)) return;
  entered.add(one);
  const isList = Array.isArray(one);
  if (isList && Array.isArray(other) && one.length !== other.length) paths.push(`${path}.length`);
  const names = new Set([...Object.keys(one), ...(isList ? [] : Object.keys(other))]);
  const before = paths.length;
  for (const name of names) {
    // a missing place is told by the length
    if (isList && !Object.hasOwn(other, name)) continue;
    const segment = isList ? `[${name}]` : meaningOf(name) === "key" ? "[key]" : `.${name}`;
    descend(one[name], other[name], path + segment, paths, entered);
  }
  // dates, maps and their like keep what differs out of sight
  if (paths.length === before && !isList && names.size === 0) paths.push(path);
}

function isEnterable(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !ArrayBuffer.isView(value);
}
