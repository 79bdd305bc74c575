import { RepriseError } from "../base/errors.ts";
import type { SchemaDifference } from "../contract/ledger-schema.ts";

/** A table as a ledger declares it, once: what creates it, what is added to an older one and what compares both follow. */
export interface Table {
  readonly name: string;
  /** Each column's definition, in the words in which the database tells it of itself. */
  readonly columns: Definitions;
  /**
   * Columns that came after a release: they end the table, and are added to one that an earlier version made. So each takes
   * null or has a default, and earlier versions go on beside it.
   */
  readonly later?: Definitions | undefined;
  readonly primaryKey: string;
  /** `unique (key) where key is not null`. */
  readonly indexes?: Definitions | undefined;
  /** What the store keeps with the table as a whole. */
  readonly options?: string | undefined;
}
export type Definitions = Readonly<Record<string, string>>;

/** A table as it is found, in the same words. */
export interface LiveTable {
  readonly columns: Definitions;
  /** Empty: it has none. */
  readonly primaryKey: string;
  readonly indexes: Definitions;
  /** Those that the database keeps and does not use. */
  readonly invalid: ReadonlySet<string>;
  readonly options: string;
}
export type Live = ReadonlyMap<string, LiveTable>;

/** How a database says it. */
export interface Statements {
  readonly create: (table: Table) => readonly string[];
  readonly addColumn: (table: Table, column: string, definition: string) => string;
  /** Empty: no statement does. */
  readonly changeColumn: (table: Table, column: string, definition: string, found: string) => readonly string[];
  readonly setPrimaryKey: (table: Table, found: string) => readonly string[];
  readonly addIndex: (table: Table, index: string, definition: string) => string;
  readonly dropIndex: (table: Table, index: string) => string;
  readonly setOptions: (table: Table) => readonly string[];
}

export interface Difference extends SchemaDifference {
  /** What its statements create, where they change nothing that is there. An index takes long on a large table. */
  readonly creates: "table" | "column" | "function" | "index" | null;
}

export function columnsOf({ columns, later }: Table): Definitions {
  return { ...columns, ...later };
}

/** The part of a `create table` between its parentheses, without indexes. */
export function columnsText(table: Table): string {
  const columns = Object.entries(columnsOf(table)).map(([name, definition]) => `${name} ${definition}`);
  return columns.join(",\n  ");
}

/** What somebody has added is no difference. */
export function compare(tables: readonly Table[], live: Live, statements: Statements): readonly Difference[] {
  return tables.flatMap((table) => {
    const found = live.get(table.name);
    if (found !== undefined) return compareTable(table, found, statements);
    return [{ what: `Table ${table.name} is missing.`, mend: statements.create(table), creates: "table" }];
  });
}

function compareTable(table: Table, found: LiveTable, statements: Statements): readonly Difference[] {
  const { name, primaryKey, indexes = {}, options = "" } = table;
  const differs = (what: string, mend: readonly string[], creates: Difference["creates"] = null): Difference => {
    return { what: `${what}.`, mend, creates };
  };
  const columns = Object.entries(columnsOf(table)).flatMap(([column, wanted]): readonly Difference[] => {
    const there = found.columns[column];
    const where = `Column ${column} of ${name}`;
    if (there === wanted) return [];
    if (there !== undefined) {
      return [
        differs(`${where} is "${there}", not "${wanted}"`, statements.changeColumn(table, column, wanted, there)),
      ];
    }
    // rows that are there have nothing to put into it
    const fits = !wanted.includes(" not null") || wanted.includes(" default ");
    return [differs(`${where} is missing`, [statements.addColumn(table, column, wanted)], fits ? "column" : null)];
  });
  const key =
    found.primaryKey === primaryKey
      ? []
      : [
          differs(
            `The primary key of ${name} is ${found.primaryKey === "" ? "missing" : `"${found.primaryKey}"`}, not "${primaryKey}"`,
            statements.setPrimaryKey(table, found.primaryKey),
          ),
        ];
  const others = Object.entries(indexes).flatMap(([index, wanted]): readonly Difference[] => {
    const there = found.indexes[index];
    const where = `Index ${index} of ${name}`;
    const add = statements.addIndex(table, index, wanted);
    if (there === undefined) return [differs(`${where} is missing`, [add], "index")];
    const anew = [statements.dropIndex(table, index), add];
    if (there !== wanted) return [differs(`${where} is "${there}", not "${wanted}"`, anew)];
    return found.invalid.has(index) ? [differs(`${where} is invalid: the database does not use it`, anew)] : [];
  });
  const whole =
    found.options === options
      ? []
      : [differs(`Table ${name} has "${found.options}", not "${options}"`, statements.setOptions(table))];
  return [...columns, ...key, ...others, ...whole];
}

/** The version that a ledger's tables say of themselves; `undefined`: they say none. */
export function compareVersion(found: string | undefined, expected: string, insert: string): readonly Difference[] {
  if (found === expected) return [];
  if (found === undefined) {
    return [{ what: "The version of the tables is not written down.", mend: [insert], creates: null }];
  }
  return [
    {
      what: `The tables are of version '${found}', and this version of reprise needs '${expected}': run the one that made them, or give this one tables of its own.`,
      mend: [],
      creates: null,
    },
  ];
}

/** @throws REPRISE_LEDGER_SCHEMA */
export function checkVersion(ledger: string, found: string | undefined, expected: string): void {
  if (found === expected) return;
  throw new RepriseError("REPRISE_LEDGER_SCHEMA", { ledger, found: found ?? "none", expected });
}

/** What opening creates: an index is left to `migrate`, since it may take longer than a start may wait. */
export function createdByOpening(differences: readonly Difference[]): readonly string[] {
  return differences.filter(({ creates }) => creates !== null && creates !== "index").flatMap(({ mend }) => mend);
}

export function createdByMigrating(differences: readonly Difference[]): readonly string[] {
  return differences.filter(({ creates }) => creates !== null).flatMap(({ mend }) => mend);
}

/** Of a ledger, told to whoever opens one that an earlier version has made, or nobody yet, in a role without that right. */
export const mayNotCreate =
  "some of its tables, columns or functions are missing ('npx reprise doctor' lists them), and this role may not create them: let one that may run 'npx reprise migrate'";

/** @throws REPRISE_BAD_DECLARATION */
export function refusePartitions(ledger: string, partitions: number | undefined): void {
  if (partitions === undefined) return;
  throw new RepriseError("REPRISE_BAD_DECLARATION", {
    where: `ledger '${ledger}', partitions`,
    why: "it does not divide its tables.",
    mend: "Leave it out, or keep the ledger on PostgreSQL.",
  });
}
