import { AsyncLocalStorage } from "node:async_hooks";
import { RepriseError } from "../../base/errors.ts";

/** Where nothing is declared, nothing may be named: an empty mapped type would take any name. */
type AmbientValues<Dimension extends string> = [Dimension] extends [never]
  ? Readonly<Record<string, never>>
  : { readonly [D in Dimension]?: string | undefined };

/** Who and what a request is for, known to whatever it awaits. */
export interface AmbientContext<Dimension extends string = string> {
  /**
   * Runs `work` with these values; `get` tells them in it and in all that it awaits. A run inside another inherits what
   * it does not name; `undefined` names nobody.
   *
   * @throws REPRISE_BAD_DECLARATION a value of a dimension that was not declared, or one that is no string
   * @example
   * reprise.context.run({ tenant: "t1", user: session.user }, () => handle(request));
   */
  readonly run: <T>(values: AmbientValues<Dimension>, work: () => T) => T;
  /**
   * The value of a dimension, `undefined` outside every run. In a cache's loader, whose value others will get, it is
   * the scope's own value as text.
   *
   * @throws REPRISE_SCOPE_LEAK in a loader whose scope does not have the dimension; its load then fails even if the
   *   loader swallows this
   * @throws REPRISE_BAD_DECLARATION a dimension that was not declared
   */
  readonly get: (dimension: Dimension) => string | undefined;
}

export interface WatchedLoad {
  readonly cache: string;
  /** A dimension is in the scope if it is a property of it, even an undefined one. */
  readonly scope: Readonly<Record<string, unknown>>;
}

export interface Ambient extends AmbientContext {
  /**
   * Runs a load so that reading a dimension which is not in its scope is noticed. To be called outside every caller's
   * context. `leaked` tells the first such dimension, so ask it once the result has settled.
   */
  readonly watch: <T>(
    load: WatchedLoad,
    work: () => T,
  ) => { readonly result: T; readonly leaked: () => string | undefined };
}

interface Frame {
  readonly values: ReadonlyMap<string, string | undefined>;
  /** The load that this is a part of. */
  readonly watched: Watched | undefined;
}

interface Watched extends WatchedLoad {
  leak: string | undefined;
  /** Something read a dimension that may have been this load. */
  doubtful: boolean;
}

const noValues: Frame["values"] = new Map();

/**
 * The ambient context of an instance. Its AsyncLocalStorage is made by the first `run`: once one was used, every await of
 * the process is dearer on Node 20.
 *
 * A load that began before that is followed by hand until its first await. Whatever reads a dimension later, in no
 * context and while such a load is under way, may be that load; so once there is a storage, its value is not trusted but
 * loaded again.
 */
export function createAmbient(dimensions: readonly string[]): Ambient {
  const known = new Set(dimensions);
  let storage: AsyncLocalStorage<Frame> | undefined;
  /** The load whose synchronous part runs, while there is no storage to tell. */
  let beginning: Frame | undefined;
  /** Loads under way that began before there was a storage. */
  const unfollowed = new Set<Watched>();

  const here = (): Frame | undefined => storage?.getStore() ?? beginning;

  const check = (dimension: string, verb: "run" | "get"): void => {
    if (known.has(dimension)) return;
    throw new RepriseError("REPRISE_BAD_DECLARATION", {
      where: `context.${verb}`,
      why: `'${dimension}' is no dimension of this reprise.`,
      mend: "Name it under 'dimensions' in createReprise, or use one that is there.",
    });
  };

  const follow = <T>(frame: Frame, watched: Watched, work: () => T): T => {
    if (storage !== undefined) return storage.run(frame, work);
    const before = beginning;
    beginning = frame;
    let result: T;
    try {
      result = work();
    } finally {
      beginning = before;
    }
    if (!isThenable(result)) return result;
    unfollowed.add(watched);
    return Promise.resolve(result)
      .finally(() => unfollowed.delete(watched))
      .then((value) => (watched.doubtful && storage !== undefined ? storage.run(frame, work) : value)) as T;
  };

  return {
    run: (values, work) => {
      const outer = here();
      const inner = new Map(outer?.values);
      for (const [dimension, value] of Object.entries(values)) {
        check(dimension, "run");
        if (value !== undefined && typeof value !== "string") {
          throw new RepriseError("REPRISE_BAD_DECLARATION", {
            where: `context.run of '${dimension}'`,
            why: `The value is of type ${value === null ? "null" : typeof value}.`,
            mend: "Pass a string, or undefined for nobody.",
          });
        }
        inner.set(dimension, value);
      }
      storage ??= new AsyncLocalStorage();
      return storage.run({ values: inner, watched: outer?.watched }, work);
    },
    get: (dimension) => {
      check(dimension, "get");
      const frame = here();
      if (frame === undefined) {
        for (const watched of unfollowed) watched.doubtful = true;
        return undefined;
      }
      const { values, watched } = frame;
      // what a loader gives to a run of its own comes from its scope, or is the same for all
      if (watched === undefined || values.has(dimension)) return values.get(dimension);
      if (Object.hasOwn(watched.scope, dimension)) {
        const own = watched.scope[dimension];
        return own === undefined ? undefined : String(own);
      }
      watched.leak ??= dimension;
      throw new RepriseError("REPRISE_SCOPE_LEAK", { cache: watched.cache, dimension });
    },
    watch: (load, work) => {
      const watched: Watched = { ...load, leak: undefined, doubtful: false };
      return { result: follow({ values: noValues, watched }, watched, work), leaked: () => watched.leak };
    },
  };
}

function isThenable(value: unknown): boolean {
  return typeof value === "object" && value !== null && "then" in value && typeof value.then === "function";
}
