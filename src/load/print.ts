import { fingerprint } from "../base/fingerprint.ts";
import type { Job } from "./dialect.ts";
import type { LoadSettings } from "./settings.ts";

/**
 * Of all that a declaration says about which rows are written, where and how. An unfinished run whose declaration has
 * changed meanwhile is not the same run: its windows may be cut by another column, and be done in another table.
 */
export function declaredPrint({ declaration, source, into, version, mark, windows }: LoadSettings): string {
  const { identity, columns, ifSameVersionDiffers, ifSourceRepeatsKey } = declaration;
  return print({
    ...{ source, into, identity, version, mark, windows, ifSameVersionDiffers, ifSourceRepeatsKey },
    columns: columns === undefined ? null : [...columns].sort(),
  });
}

/** Of what only the database tells: a column that both sides have got meanwhile is missing in the windows that are done. */
export function foundPrint({ target, content, by }: Job): string {
  return print({
    table: target.table,
    content: content.map(({ name }) => name).sort(),
    by: by === null ? null : by.source.kind,
  });
}

function print(value: unknown): string {
  return fingerprint(value, "the declaration of a load").hash;
}
