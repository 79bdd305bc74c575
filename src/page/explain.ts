import { RepriseError } from "../base/errors.ts";
import { isScalar } from "../base/scalar.ts";
import type { Explanation } from "../cache/explain.ts";
import type { Inside } from "../observe/inside.ts";
import { json, refused } from "./answers.ts";

/** What a read would do in this process, told without reading: nothing is counted, loaded or touched. */
export interface ExplainAnswer {
  readonly v: 1;
  readonly at: number;
  /** The process that tells: others hold other values. */
  readonly instance: string;
  readonly cache: string;
  readonly explanation: Explanation;
}

/** `GET explain.json?cache=<name>&scope={"workshop":"w-1"}` */
export async function explainRead(inside: Inside, query: URLSearchParams): Promise<Response> {
  const cache = inside.caches().find(({ name }) => name === query.get("cache"));
  if (cache === undefined) return refused(404, "no-such-cache", "No cache of that name is declared here.");
  const scope = scopeIn(query.get("scope"), cache.declaration.scope);
  if (typeof scope === "string") return refused(400, "bad-scope", scope);
  try {
    const { would, because, entry, load } = await cache.explain(scope);
    const at = inside.clock().now();
    const explanation: Explanation = { would, because, entry, load };
    return json({ v: 1, at, instance: inside.instance, cache: cache.name, explanation } satisfies ExplainAnswer);
  } catch (error) {
    if (error instanceof RepriseError && error.code === "REPRISE_BAD_SCALAR") {
      return refused(400, "bad-scope", error.message);
    }
    throw error;
  }
}

/** A sentence where it is no scope of the cache. A part may be left out: it may be an optional one. */
function scopeIn(text: string | null, names: readonly string[]): Readonly<Record<string, unknown>> | string {
  const example = `{${names.map((name) => `"${name}": "…"`).join(", ")}}`;
  const form = `Give the scope as a JSON object, such as ${example}.`;
  if (text === null || text === "") return `There is no scope. ${form}`;
  const scope = parsed(text);
  if (typeof scope !== "object" || scope === null || Array.isArray(scope)) return `The scope is no object. ${form}`;
  const parts = scope as Readonly<Record<string, unknown>>;
  const stranger = Object.keys(parts).find((name) => !names.includes(name));
  if (stranger !== undefined) {
    return `'${stranger.slice(0, 40)}' is no part of the scope: ${names.map((name) => `'${name}'`).join(", ")}.`;
  }
  const odd = names.find((name) => Object.hasOwn(parts, name) && !isScalar(parts[name]));
  if (odd !== undefined) return `'${odd}' is no text, number or boolean. ${form}`;
  if (Object.keys(parts).length === 0) return `The scope is empty. ${form}`;
  return parts;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
