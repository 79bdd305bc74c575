import type { TableName } from "./dialect.ts";

/** One name: quoted, with the quote doubled inside; or bare, up to a dot. */
const part = /^(?:"((?:[^"]|"")+)"|`((?:[^`]|``)+)`|([^."`\s][^."`]*))/;

/**
 * `schema.table` or `table`. Each part may be quoted, as it must be where it holds a dot; quoted or not, it is the name in
 * its very letters. `null`: it is no such text.
 */
export function tableName(text: string): TableName | null {
  const names: string[] = [];
  let rest = text;
  for (;;) {
    const found = part.exec(rest);
    if (found === null) return null;
    const [whole, double, back, bare] = found;
    names.push(double?.replaceAll('""', '"') ?? back?.replaceAll("``", "`") ?? bare ?? "");
    rest = rest.slice(whole.length);
    if (rest === "") break;
    if (!rest.startsWith(".")) return null;
    rest = rest.slice(1);
  }
  const [first, second] = names;
  if (first === undefined || names.length > 2 || names.some((name) => name.includes("\0"))) return null;
  return second === undefined ? { schema: null, name: first } : { schema: first, name: second };
}

/** As a person writes it. */
export function shownTable({ schema, name }: TableName): string {
  return schema === null ? name : `${schema}.${name}`;
}
