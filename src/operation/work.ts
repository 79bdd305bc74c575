import { defaults } from "../base/defaults.ts";
import { isRepriseError, RepriseError } from "../base/errors.ts";
import { fingerprint } from "../base/fingerprint.ts";
import { type Name, nameOf, sha256 } from "../base/names.ts";
import { checkScalar, encodeScalars, type Scalar } from "../base/scalar.ts";
import type { Fingerprint, WorkAbout, WorkRequest } from "../contract/ledger.ts";
import type { Host } from "./host.ts";
import { encodeKept } from "./record.ts";
import type { Settings } from "./settings.ts";

/** One piece of work: an input with the names that its records are found by. */
export interface Work extends WorkRequest {
  /** A copy: what the caller or the run does to its own changes no name, no key and no change of a cache. */
  readonly input: unknown;
  /**
   * What another instance needs to go on with it.
   * @throws REPRISE_NOT_STORABLE
   */
  readonly kept: () => string;
  /** Whose it is: an id made of it is of no use to others. */
  readonly owner: readonly Scalar[];
  /** The operations whose runs, each asking for the next, came to this one; empty where no run asked. */
  readonly callers: readonly string[];
  /** The key that an effect is sent out with: the same for every attempt, and after retention too. */
  readonly effectKey: (effect: string) => string;
}

/**
 * Whether what stands of one may be told whoever asks for the other, of the same name: with another key, or other input, that
 * would be a mismatch.
 */
export function isSame(one: Work, other: Work): boolean {
  return one.key === other.key && one.print.hash === other.print.hash;
}

/** What beside its input names work. */
export interface Naming {
  readonly key?: string | undefined;
  /** Held against the operation's own. */
  readonly principal?: string | undefined;
  /** The work whose run asks for this one: a child is another work for each parent. */
  readonly parent?: Name | undefined;
  readonly callers?: readonly string[] | undefined;
}

/**
 * Names the work that `input`, as the schema returned it, stands for.
 *
 * @throws REPRISE_PRINCIPAL_EMPTY, REPRISE_PRINCIPAL_DIFFERS, REPRISE_KEY_MISSING, REPRISE_KEY_MALFORMED,
 * REPRISE_BAD_SCALAR, REPRISE_INPUT_INVALID
 */
export function nameWork(host: Host, settings: Settings, given: unknown, caller: Naming): Work {
  const { name: operation, declaration } = settings;
  const what = `the input of '${operation}'`;
  const { print, input } = keep(given, operation, what);

  const principal = principalOf(settings, input);
  if (caller.principal !== undefined && principal !== true && caller.principal !== principal) {
    throw new RepriseError("REPRISE_PRINCIPAL_DIFFERS", { operation });
  }
  const { key, parent = null, callers = [] } = caller;
  if (key !== undefined && typeof key !== "string") {
    throw new RepriseError("REPRISE_KEY_MALFORMED", { operation, why: "is no text" });
  }
  if (key !== undefined && (key === "" || key.length > defaults.http.keyMaxLength)) {
    const why = key === "" ? "is empty" : `is longer than ${defaults.http.keyMaxLength} characters`;
    throw new RepriseError("REPRISE_KEY_MALFORMED", { operation, why });
  }
  const { identity: declared } = declaration;
  let identity: readonly Scalar[];
  let keyName: Name | null = null;
  if (typeof declared === "function") {
    identity = identityOf(declared(input as never), `an identity of '${operation}'`);
    if (key !== undefined && parent === null) keyName = nameOf("key", [host.service, operation, principal, key]);
  } else {
    if (key === undefined) throw new RepriseError("REPRISE_KEY_MISSING", { operation });
    identity = [key];
  }
  // a user may be called "everyone": the value that stands for all is no string
  const owner: readonly Scalar[] = [host.service, operation, principal];
  const kind = parent === null ? "work" : "child";
  const parts: readonly Scalar[] = parent === null ? [...owner, ...identity] : [parent, operation, ...identity];
  const { sameIntent } = declaration;
  const intent =
    sameIntent === undefined
      ? null
      : nameOf("intent", [...owner, ...identityOf(sameIntent.of(input as never), `the intent of '${operation}'`)]);
  const about: WorkAbout = {
    operation,
    identity: typeof declared === "function" ? identity.join(" / ") : shorten(String(identity[0])),
    principal: principal === true ? "everyone" : String(principal),
    key: key === undefined ? null : shorten(key),
    owner: host.instance,
  };
  return {
    name: nameOf(kind, parts),
    key: keyName,
    parent,
    intent,
    owner,
    callers,
    print,
    keepMs: settings.retentionMs,
    about,
    input,
    kept: () => {
      const ownKey = typeof declared === "function" ? undefined : key;
      return encodeKept({ input, key: ownKey, parent: parent ?? undefined }, what);
    },
    effectKey: (effect) => {
      const sent = parent === null ? ["effect", ...parts, effect] : ["effect", kind, ...parts, effect];
      return sha256(encodeScalars(sent, "effect")).slice(0, 48);
    },
  };
}

/** The fingerprint of an input and a copy of it. What cannot be kept is its sender's to mend: nothing was run. */
function keep(
  given: unknown,
  operation: string,
  what: string,
): { readonly print: Fingerprint; readonly input: unknown } {
  try {
    return { print: fingerprint(given, what), input: structuredClone(given) };
  } catch (error) {
    const { path, kind } = isRepriseError(error, "REPRISE_NOT_STORABLE") ? error.details : { path: "", kind: "" };
    const issue = path === "" ? "it cannot be copied" : `${path}: it holds ${kind}`;
    throw new RepriseError("REPRISE_INPUT_INVALID", { operation, issues: [issue], paths: [path] }, error);
  }
}

function principalOf(settings: Settings, input: unknown): string | true {
  const { principal } = settings.declaration;
  if (typeof principal !== "function") return true;
  const value = principal(input as never);
  if (typeof value !== "string" || value === "") {
    throw new RepriseError("REPRISE_PRINCIPAL_EMPTY", { operation: settings.name });
  }
  return value;
}

/** A missing part would let two pieces of work meet under one name. */
function identityOf(parts: readonly Scalar[], where: string): readonly Scalar[] {
  if (!Array.isArray(parts) || parts.length === 0) {
    throw new RepriseError("REPRISE_BAD_SCALAR", { where, kind: "empty" });
  }
  if (parts.some((part) => checkScalar(part, where) === undefined)) {
    throw new RepriseError("REPRISE_BAD_SCALAR", { where, kind: "undefined" });
  }
  return parts as readonly Scalar[];
}

/** Enough of a key to find it in one's own logs, too little to use it. */
function shorten(key: string): string {
  return key.length <= 8 ? `${key.slice(0, 2)}…` : `${key.slice(0, 4)}…${key.slice(-2)}`;
}
