import type { Dimensions } from "../base/config.ts";
import { defaults } from "../base/defaults.ts";
import { milliseconds } from "../base/duration.ts";
import { RepriseError } from "../base/errors.ts";
import type { CacheDeclaration } from "./declaration.ts";

/** A declaration's measures, in milliseconds where they are times, its defaults filled in. */
export interface CacheSettings {
  readonly freshMs: number;
  readonly staleMs: number;
  readonly absentMs: number;
  readonly hardMs: number;
  /** `undefined`: a stale value is served at once. */
  readonly softMs: number | undefined;
  readonly jitter: number;
  /** How eagerly a value is refreshed ahead of expiry; 0: never. */
  readonly beta: number;
  /** `undefined`: as many reads wait as come. */
  readonly queueMost: number | undefined;
  readonly queueThen: "stale" | "reject";
  readonly protect: boolean;
  readonly refresh: { readonly hottest: number; readonly everyMs: number } | undefined;
}

/**
 * Refuses what the compiler could not see, or was not asked.
 * @throws REPRISE_BAD_DECLARATION, REPRISE_BAD_DURATION
 */
export function checkCacheDeclaration(declaration: CacheDeclaration, dimensions: Dimensions): CacheSettings {
  const { name, scope, holds, jitter = defaults.cache.jitter } = declaration;
  if (typeof name !== "string" || name === "") {
    throw refusal("A cache", "its name is empty.", "Give it one that is unique in this reprise.");
  }
  const where = (property: string) => `Cache '${name}', ${property}`;

  if (!Array.isArray(scope) || scope.length === 0 || scope.some((part) => typeof part !== "string" || part === "")) {
    throw refusal(where("scope"), "it names nothing.", "List every parameter that makes the answer unique.");
  }
  const twice = scope.find((part, place) => scope.indexOf(part) !== place);
  if (twice !== undefined) throw refusal(where("scope"), `'${twice}' stands in it twice.`, "Name it once.");
  checkDimensions(declaration, dimensions, where);

  if (holds !== undefined && holds !== "public" && holds !== "personal") {
    throw refusal(where("holds"), `'${holds}' data is never cached.`, "Read it from the source.");
  }
  if (declaration.pattern !== "cache-aside" && typeof declaration.load !== "function") {
    throw refusal(where("load"), "it is no function.", "Say how a value is read from the source.");
  }
  for (const property of ["loadMany", "changedBy"] as const) {
    const given = declaration[property];
    if (given !== undefined && typeof given !== "function") {
      throw refusal(where(property), "it is no function.", "Give it one, or leave it out.");
    }
  }
  if (declaration.owner !== undefined && (typeof declaration.owner !== "string" || declaration.owner === "")) {
    throw refusal(where("owner"), "it names nobody.", "Name the team that answers for it.");
  }
  if (declaration.clone !== undefined && typeof declaration.clone !== "boolean") {
    throw refusal(where("clone"), "it is neither true nor false.", "True gives each read a copy of its own.");
  }
  if (!(jitter >= 0 && jitter < 1)) {
    throw refusal(where("jitter"), "it is not from 0 up to, but not, 1.", "0.1 shortens lives by up to a tenth.");
  }

  const freshMs = milliseconds(declaration.freshFor, where("freshFor"));
  const optional = (property: string, given: CacheDeclaration["staleFor"], otherwise: number) =>
    given === undefined ? otherwise : milliseconds(given, where(property));
  const { soft } = declaration.deadline ?? {};
  const hardMs = optional("deadline.hard", declaration.deadline?.hard, defaults.cache.hardDeadlineMs);
  const softMs = soft === undefined ? undefined : milliseconds(soft, where("deadline.soft"));
  if (softMs !== undefined && declaration.staleFor === undefined) {
    throw refusal(where("deadline.soft"), "there is nothing stale to serve after it.", "Set staleFor as well.");
  }
  if (softMs !== undefined && softMs >= hardMs) {
    throw refusal(where("deadline.soft"), "it is not before the hard one.", `Make it shorter than ${hardMs} ms.`);
  }
  const beta = checkEarly(declaration, where);
  checkWrites(declaration, where);
  return {
    freshMs,
    staleMs: optional("staleFor", declaration.staleFor, 0),
    absentMs: optional("absentFor", declaration.absentFor, freshMs),
    hardMs,
    softMs,
    jitter,
    beta,
    queueMost: checkQueue(declaration, where),
    queueThen: declaration.queue?.then ?? "reject",
    protect: checkProtect(declaration, where),
    refresh: checkRefresh(declaration, freshMs * (1 - jitter), where),
  };
}

type Where = (property: string) => string;

function checkEarly({ early = defaults.cache.beta }: CacheDeclaration, where: Where): number {
  if (early === "never") return 0;
  if (typeof early === "number" && early > 0 && early <= 10) return early;
  throw refusal(
    where("early"),
    "it is no number above 0 and up to 10.",
    '1 is proven optimal; "never" switches it off.',
  );
}

function checkQueue({ queue, staleFor }: CacheDeclaration, where: Where): number | undefined {
  if (queue === undefined) return undefined;
  if (!(Number.isInteger(queue.most) && queue.most >= 1)) {
    throw refusal(where("queue.most"), "it is no whole number above zero.", "Say how many reads may wait for loads.");
  }
  if (queue.then !== "stale" && queue.then !== "reject") {
    throw refusal(where("queue.then"), "it is neither 'stale' nor 'reject'.", "Say what becomes of a read too many.");
  }
  if (queue.then === "stale" && staleFor === undefined) {
    throw refusal(where("queue.then"), "there is nothing stale to serve.", "Set staleFor, or reject.");
  }
  return queue.most;
}

function checkProtect({ protect }: CacheDeclaration, where: Where): boolean {
  if (protect === undefined || protect === "high") return protect === "high";
  throw refusal(where("protect"), `'${protect}' is no class.`, "'high' is the one there is beside the ordinary one.");
}

function checkWrites(declaration: CacheDeclaration, where: Where): void {
  const { pattern, write, writeMany, ifLost } = declaration;
  if (pattern === "write-through" && typeof write !== "function") {
    throw refusal(where("write"), "it is no function.", "Say how a value is written to the source.");
  }
  if (pattern !== "write-behind") return;
  if (typeof writeMany !== "function") {
    throw refusal(where("writeMany"), "it is no function.", "Say how values are written to the source.");
  }
  if (ifLost === "never") return;
  if (typeof ifLost === "object" && ifLost !== null && ifLost.accept !== undefined) {
    milliseconds(ifLost.accept, where("ifLost.accept"));
    return;
  }
  throw refusal(where("ifLost"), "it is not said what a crash may lose.", 'Say "never", or { accept: "5s" }.');
}

function checkRefresh(declaration: CacheDeclaration, shortestMs: number, where: Where): CacheSettings["refresh"] {
  const { refresh, pattern } = declaration;
  if (refresh === undefined) return undefined;
  if (pattern === "cache-aside") {
    throw refusal(where("refresh"), `a ${pattern} cache has no loader to refresh with.`, "Use readThrough.");
  }
  if (!(Number.isInteger(refresh.hottest) && refresh.hottest >= 1)) {
    throw refusal(where("refresh.hottest"), "it is no whole number above zero.", "Say how many keys to keep fresh.");
  }
  const everyMs = milliseconds(refresh.every, where("refresh.every"));
  if (everyMs >= shortestMs) {
    throw refusal(
      where("refresh.every"),
      "a value's life may end before it is refreshed.",
      `Refresh more often than every ${Math.round(shortestMs)} ms, which is freshFor shortened by its jitter.`,
    );
  }
  return { hottest: refresh.hottest, everyMs };
}

function checkDimensions(declaration: CacheDeclaration, dimensions: Dimensions, where: Where): void {
  const { scope, sameForEvery = [], holds } = declaration;
  for (const dimension of Object.keys(dimensions)) {
    const scoped = scope.includes(dimension);
    const same = sameForEvery.includes(dimension);
    if (scoped && same) {
      throw refusal(where("sameForEvery"), `'${dimension}' is in scope as well.`, "Name it in one of the two.");
    }
    if (!scoped && !same) {
      throw refusal(
        where("scope"),
        `'${dimension}' is neither in scope nor in sameForEvery.`,
        "Add it to scope if two answers can differ by it, else to sameForEvery.",
      );
    }
  }
  const stranger = sameForEvery.find((dimension) => !Object.hasOwn(dimensions, dimension));
  if (stranger !== undefined) {
    throw refusal(where("sameForEvery"), `'${stranger}' is no dimension.`, "Declare it in createReprise.");
  }
  if (
    holds === "personal" &&
    !scope.some((part) => Object.hasOwn(dimensions, part) && dimensions[part] === "personal")
  ) {
    throw refusal(
      where("scope"),
      "personal data needs a personal dimension in scope.",
      "Add the dimension that names the person; createReprise declares which one does.",
    );
  }
}

function refusal(where: string, why: string, mend: string): RepriseError {
  return new RepriseError("REPRISE_BAD_DECLARATION", { where, why, mend });
}
