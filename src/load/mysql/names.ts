import type { SourceName, TableName } from "../dialect.ts";

export function quote(name: string): string {
  return `\`${name.replaceAll("`", "``")}\``;
}
export function quotedTable({ schema, name }: TableName): string {
  return schema === null ? quote(name) : `${quote(schema)}.${quote(name)}`;
}
export function list(names: readonly string[]): string {
  return names.map(quote).join(", ");
}
/** What stands behind `from`. A query stands on lines of its own, for it may end with a comment. */
export function rowsOf(source: SourceName): string {
  return "query" in source ? `(\n${source.query}\n)` : quotedTable(source);
}
