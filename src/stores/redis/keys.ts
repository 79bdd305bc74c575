import type { Name, WorkId } from "../../base/names.ts";
import type { Resolution } from "../../contract/journal.ts";

/**
 * So many parts does the ledger have. A part is one slot of a cluster: its works lie there together with the indexes over
 * them, so that one script changes both. Part of what is stored: another number would not find what is there.
 */
const parts = 32;

/** The names of all that is stored under a prefix. */
export interface Keys {
  /** Of work, its effects, its past attempts, and the indexes of its part, in the order in which the scripts take them. */
  readonly ofWork: (name: Name) => readonly string[];
  readonly work: (name: Name) => string;
  /** The list of its part that work with this keep is entered in. */
  readonly begun: (name: Name, keepMs: number) => string;
  /** Which keeps there are lists for. */
  readonly keeps: string;
  /** Which work a caller's key belongs to. It has a slot of its own: key and work need no common one. */
  readonly binding: (key: Name) => string;
  /** Which work an id is of that does not tell. */
  readonly id: (id: WorkId) => string;
  /** The works that are meant to bring about one thing, wherever they lie. */
  readonly intent: (intent: Name) => string;
  readonly parts: readonly PartKeys[];
  readonly journal: (resolution: Resolution) => readonly [at: string, body: string];
  /** Each in a slot of its own. */
  readonly lease: (name: string) => string;
  readonly registers: readonly [values: string, names: string, written: string];
  readonly schema: string;
}

/** The indexes of a part: a list for each keep, and sorted sets, of `name created-at operation`. */
export interface PartKeys {
  /**
   * In the order in which they were begun, which is that in which their keep may end. To enter work here is all that is done
   * for it as long as it ends the ordinary way.
   */
  readonly begun: (keepMs: number) => string;
  /**
   * Open and running, by when nobody is at it any more. Running work that keeps no input, has no effect and was not renewed
   * yet is left out: there is nothing that anybody would do about it.
   */
  readonly due: string;
  /** Parked. */
  readonly parked: string;
  /** Taken from the lists by the sweep, by when it is to be looked at. */
  readonly kept: string;
  /** The same, by creation. */
  readonly aged: string;
}

export function keysOf(prefix: string): Keys {
  const partKeys = Array.from({ length: parts }, (_, part): PartKeys => {
    const tag = `{${prefix}:${part}}`;
    const begun = (keepMs: number) => `${tag}:begun:${keepMs}`;
    return { begun, due: `${tag}:due`, parked: `${tag}:parked`, kept: `${tag}:kept`, aged: `${tag}:aged` };
  });
  const tagOf = (name: Name) => `{${prefix}:${Number.parseInt(name.slice(0, 4), 16) % parts}}`;
  return {
    work: (name) => `${tagOf(name)}:work:${name}`,
    ofWork: (name) => {
      const tag = tagOf(name);
      const beside = [`${tag}:effects:${name}`, `${tag}:attempts:${name}`];
      return [`${tag}:work:${name}`, ...beside, `${tag}:due`, `${tag}:parked`, `${tag}:kept`, `${tag}:aged`];
    },
    begun: (name, keepMs) => `${tagOf(name)}:begun:${keepMs}`,
    keeps: `${prefix}:keeps`,
    binding: (key) => `${prefix}:key:${key}`,
    id: (id) => `${prefix}:id:${id}`,
    intent: (intent) => `${prefix}:intent:${intent}`,
    parts: partKeys,
    journal: (resolution) => {
      const tag = `{${prefix}:journal:${resolution}}`;
      return [`${tag}:at`, `${tag}:body`];
    },
    lease: (name) => `${prefix}:lease:${name}`,
    registers: [`{${prefix}:registers}:values`, `{${prefix}:registers}:names`, `{${prefix}:registers}:written`],
    schema: `${prefix}:schema`,
  };
}

/** What names work by something else than its name lives so much longer than its keep, each time it is touched: the longest run. */
const longestRunMs = 7 * 86_400_000;

/** How long such a record lives, in milliseconds. */
export function recordMs(keepMs: number): number {
  return Math.ceil(keepMs + longestRunMs);
}
