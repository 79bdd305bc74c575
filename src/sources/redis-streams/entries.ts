import { instantIn, sentAtName } from "../letters.ts";

export interface Entry {
  readonly id: string;
  /** Names and values by turns. */
  readonly fields: readonly string[];
}

/** Without those that were trimmed away. */
export function entriesOf(entries: unknown): readonly Entry[] {
  return ((entries ?? []) as readonly (readonly [string, readonly string[] | null] | null)[]).flatMap((entry) =>
    entry === null || entry[1] === null ? [] : [{ id: entry[0], fields: entry[1] }],
  );
}

/** Of the first field of this name; `null`: there is none. */
export function fieldOf({ fields }: Entry, name: string): string | null {
  // a value is no name
  const at = fields.findIndex((one, index) => index % 2 === 0 && one === name);
  return at < 0 ? null : (fields[at + 1] ?? null);
}

/** When it was written, in the broker's milliseconds. */
export function writtenAtOf({ id }: Entry): number {
  return Number(id.split("-")[0]);
}

/** When it was written, unless somebody wrote down when it was sent first. */
export function sentAtOf(entry: Entry): number {
  return instantIn(fieldOf(entry, sentAtName)) ?? writtenAtOf(entry);
}
