import { statementField } from "./contract-openapi.ts";

/** Which methods of somebody's OpenAPI document change something and promise nothing about being repeated. */

/** Of RFC 9110, those that are not safe. That PUT and DELETE should be idempotent says nothing of what a retry answers. */
const unsafeMethods = ["post", "put", "patch", "delete"] as const;

export interface SilenceReport {
  /** The version that the document is written in. */
  readonly openapi: string;
  /** How many methods change something. */
  readonly unsafe: number;
  readonly silent: readonly SilentMethod[];
}

export interface SilentMethod {
  readonly method: string;
  readonly path: string;
  readonly operationId: string | null;
  /** References among its parameters that lead nowhere: a promise may stand behind them. */
  readonly unfollowed: readonly string[];
}

export interface OpenApiSource {
  /** Resolves the references of this document to other files. */
  readonly name: string;
  readonly root: unknown;
}
/** What a reference of `from` to another file names, `null` where it cannot be had. Never rejects. */
export type LoadReferred = (file: string, from: string) => Promise<OpenApiSource | null>;

/** A place in a document. */
interface Place {
  readonly source: OpenApiSource;
  readonly value: unknown;
}

/**
 * A method promises something if it has a header parameter Idempotency-Key, of its own or of its path, here or behind
 * `$ref`, or says in `x-reprise` what a repetition does. Resolves to a sentence where the document cannot be read.
 */
export async function findSilence(source: OpenApiSource, load: LoadReferred): Promise<SilenceReport | string> {
  const { root } = source;
  const version = isObject(root) ? own(root, "openapi") : undefined;
  if (!isObject(root) || typeof version !== "string") {
    return isObject(root) && Object.hasOwn(root, "swagger")
      ? "it is written in Swagger 2.0. Convert it to OpenAPI 3 first."
      : "it is no OpenAPI document: its field 'openapi' names no version, such as '3.1.0'.";
  }
  if (!/^3\.[01]\.\d/.test(version)) return "its version is not understood. Give a document of OpenAPI 3.0 or 3.1.";
  const paths = own(root, "paths") ?? {};
  if (!isObject(paths) || Array.isArray(paths)) return "its 'paths' is no object.";

  let unsafe = 0;
  const silent: SilentMethod[] = [];
  for (const [path, value] of Object.entries(paths)) {
    if (!path.startsWith("/")) continue;
    const items = await followAll({ source, value }, load);
    if (typeof items === "string") {
      return `its path '${path}' refers to '${items}', which cannot be followed: nobody knows which methods it has.`;
    }
    for (const method of unsafeMethods) {
      const item = items.find((one) => isObject(one.value) && Object.hasOwn(one.value, method));
      if (item === undefined) continue;
      unsafe += 1;
      const operation: Place = { source: item.source, value: memberOf(item, method) };
      const told = await promiseOf([operation, ...items], load);
      if (told === true) continue;
      const id = memberOf(operation, "operationId");
      const operationId = typeof id === "string" ? id : null;
      silent.push({ method: method.toUpperCase(), path, operationId, unfollowed: told });
    }
  }
  return { openapi: version, unsafe, silent };
}

/** `true`, or the references behind which the promise might have stood. */
async function promiseOf(places: readonly Place[], load: LoadReferred): Promise<true | readonly string[]> {
  if (places.some((place) => isStatement(memberOf(place, statementField)))) return true;
  const unfollowed: string[] = [];
  for (const place of places) {
    const parameters = memberOf(place, "parameters");
    if (!Array.isArray(parameters)) continue;
    for (const value of parameters) {
      const found = await followAll({ source: place.source, value }, load);
      if (typeof found === "string") unfollowed.push(found);
      else if (found.some(isKeyParameter)) return true;
    }
  }
  return unfollowed;
}

function isKeyParameter(place: Place): boolean {
  const name = memberOf(place, "name");
  // names of headers know no case
  return typeof name === "string" && name.toLowerCase() === "idempotency-key" && memberOf(place, "in") === "header";
}

function isStatement(value: unknown): boolean {
  const sentence = isObject(value) ? own(value, "promise") : undefined;
  return typeof sentence === "string" && sentence.trim() !== "";
}

/** A place and those it refers to, one after the other; the reference that leads nowhere, or round in a circle. */
async function followAll(from: Place, load: LoadReferred): Promise<readonly Place[] | string> {
  const places = [from];
  const seen = new Set<string>();
  for (let at = from; ; ) {
    const reference = memberOf(at, "$ref");
    if (typeof reference !== "string") return places;
    const id = JSON.stringify([at.source.name, reference]);
    const next = seen.has(id) ? null : await follow(reference, at.source, load);
    if (next === null) return reference;
    seen.add(id);
    places.push(next);
    at = next;
  }
}

async function follow(reference: string, from: OpenApiSource, load: LoadReferred): Promise<Place | null> {
  const hash = reference.indexOf("#");
  const file = hash < 0 ? reference : reference.slice(0, hash);
  const source = file === "" ? from : await load(file, from.name);
  if (source === null) return null;
  const value = pointed(source.root, hash < 0 ? "" : reference.slice(hash + 1));
  return value === undefined ? null : { source, value };
}

/** RFC 6901, as the fragment of a URI. */
function pointed(root: unknown, fragment: string): unknown {
  let pointer: string;
  try {
    pointer = decodeURIComponent(fragment);
  } catch {
    return undefined;
  }
  if (pointer === "") return root;
  if (!pointer.startsWith("/")) return undefined;
  return pointer
    .slice(1)
    .split("/")
    .map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"))
    .reduce<unknown>((value, part) => (isObject(value) ? own(value, part) : undefined), root);
}

function memberOf({ value }: Place, name: string): unknown {
  return isObject(value) ? own(value, name) : undefined;
}

/** Of the document alone: what every object inherits is nobody's statement. */
function own(value: object, name: string): unknown {
  return Object.hasOwn(value, name) ? (value as Readonly<Record<string, unknown>>)[name] : undefined;
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}
