import type { Scalar } from "../../base/scalar.ts";
import type { ChangeVerb } from "../change.ts";
import { encodeKey, type Scope } from "../key.ts";
import type { Attachment } from "./slots.ts";

/** Entries that change together: those that share a part of their scope, or a tag that their values named. */
export interface Group {
  /** The last change and the one before it, as numbers of `Groups.sequence`; 0: none. */
  changed: number;
  before: number;
  purged: number;
  expiredAt: number;
  /** Slots that hold it. */
  uses: number;
  readonly release: () => void;
}

/** What became of a value since its load began. */
export type Standing = { readonly is: "unchanged" | "purged" } | { readonly is: "expired"; readonly at: number };

/**
 * The groups of one cache. A change of a group writes one record however many entries it has; an entry compares on its
 * next read. An entry that no group holds is never compared with any.
 */
export interface Groups {
  /** Changes so far. An entry that was checked at this number needs no further look. */
  sequence: number;
  /** Whether entries that share these parts of their scope are a group already. */
  readonly isGrouped: (names: readonly string[]) => boolean;
  /** From now on they are one. False: there are too many kinds already. */
  readonly groupBy: (names: readonly string[]) => boolean;
  readonly changeScopes: (verb: ChangeVerb, names: readonly string[], parts: Scope, now: number) => void;
  readonly changeTag: (verb: ChangeVerb, tag: string, now: number) => void;
  /** The groups of an entry of this scope and these tags, held until `release`. */
  readonly hold: (scope: Scope, tags: readonly string[]) => readonly Group[];
  readonly release: (groups: readonly Group[]) => void;
  /** Whether a load that began at this number may store a value with these tags. */
  readonly hasStood: (tags: readonly string[], horizon: number) => boolean;
  readonly standing: (attachment: Attachment) => Standing;
}

/** Of a value whose tags nobody told: it changes with every tag. */
export const anyTag = "\u0000";

/** More kinds of groups than this cost each entry more than going through all entries costs a change. */
const mostKinds = 4;
/** Tags without an entry that are remembered for the loads under way. */
const mostIdleTags = 1_000;

const unchanged: Standing = { is: "unchanged" };
const purged: Standing = { is: "purged" };

export function createGroups(): Groups {
  const kinds: { readonly names: readonly string[]; readonly groups: Map<string, Group> }[] = [];
  const tags = new Map<string, Group>();
  /** Tags changed while no entry had them, oldest first. */
  const idle = new Set<string>();
  /** A record of a tag that changed up to here may have been forgotten. */
  let forgottenUpTo = 0;

  const create = (release: () => void): Group => ({
    changed: 0,
    before: 0,
    purged: 0,
    expiredAt: Number.NEGATIVE_INFINITY,
    uses: 0,
    release,
  });
  const change = (group: Group, verb: ChangeVerb, now: number): void => {
    group.before = group.changed;
    group.changed = groups.sequence;
    if (verb === "purge") group.purged = groups.sequence;
    else group.expiredAt = now;
  };
  const kindOf = (names: readonly string[]) =>
    kinds.find(
      (kind) => kind.names.length === names.length && kind.names.every((name, place) => name === names[place]),
    );
  const partsKey = (names: readonly string[], scope: Scope): string =>
    encodeKey(names.map((name) => scope[name] as Scalar | undefined));
  const tagOf = (tag: string): Group => {
    let group = tags.get(tag);
    if (group === undefined) {
      group = create(() => remember(tag));
      tags.set(tag, group);
    }
    return group;
  };
  /** A load under way may bring this tag back: what changed is forgotten only for want of room, and then noted. */
  const remember = (tag: string): void => {
    const group = tags.get(tag);
    if (group === undefined || group.uses > 0) return;
    if (group.changed === 0) {
      tags.delete(tag);
      return;
    }
    idle.delete(tag);
    idle.add(tag);
    if (idle.size <= mostIdleTags) return;
    for (const oldest of idle) {
      forgottenUpTo = Math.max(forgottenUpTo, tags.get(oldest)?.changed ?? 0);
      idle.delete(oldest);
      tags.delete(oldest);
      return;
    }
  };

  // held for ever: a load of such a value asks whether any tag changed
  tagOf(anyTag).uses = 1;

  const groups: Groups = {
    sequence: 0,
    isGrouped: (names) => kindOf(names) !== undefined,
    groupBy: (names) => {
      if (kinds.length >= mostKinds) return false;
      kinds.push({ names, groups: new Map() });
      return true;
    },
    changeScopes: (verb, names, parts, now) => {
      groups.sequence += 1;
      const group = kindOf(names)?.groups.get(partsKey(names, parts));
      // no entry has these parts: loads under way were outdated by the caller
      if (group !== undefined) change(group, verb, now);
    },
    changeTag: (verb, tag, now) => {
      groups.sequence += 1;
      const group = tagOf(tag);
      change(group, verb, now);
      change(tagOf(anyTag), verb, now);
      if (group.uses === 0) remember(tag);
    },
    hold: (scope, named) => {
      const held: Group[] = [];
      for (const { names, groups: ofKind } of kinds) {
        const key = partsKey(names, scope);
        let group = ofKind.get(key);
        if (group === undefined) {
          group = create(() => ofKind.delete(key));
          ofKind.set(key, group);
        }
        held.push(group);
      }
      for (const tag of named) {
        held.push(tagOf(tag));
        idle.delete(tag);
      }
      for (const group of held) group.uses += 1;
      return held;
    },
    release: (held) => {
      for (const group of held) {
        group.uses -= 1;
        if (group.uses === 0) group.release();
      }
    },
    hasStood: (named, horizon) =>
      named.every((tag) => {
        const group = tags.get(tag);
        return group === undefined ? forgottenUpTo <= horizon : group.changed <= horizon;
      }),
    standing: ({ groups: held, horizon }) => {
      let expiredAt: number | undefined;
      for (const group of held) {
        if (group.changed <= horizon) continue;
        // of two changes only the last one's time is kept: the stale window may have begun with the first
        if (group.purged > horizon || group.before > horizon) return purged;
        expiredAt = Math.min(expiredAt ?? group.expiredAt, group.expiredAt);
      }
      return expiredAt === undefined ? unchanged : { is: "expired", at: expiredAt };
    },
  };
  return groups;
}
