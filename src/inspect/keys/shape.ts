/** One column, as far as a key is concerned. */
export interface Column {
  readonly name: string;
  readonly type: string;
  readonly isNullable: boolean;
  /** Whether the database makes its value up, so that it tells two inserts of one thing apart. */
  readonly isMadeUp: boolean;
  /** Its values are about as many as there are rows, as far as the database has sampled. */
  readonly isDistinct: boolean;
}

export interface UniqueIndex {
  readonly name: string;
  /** Without expressions. */
  readonly columns: readonly string[];
  readonly isValid: boolean;
  readonly isPartial: boolean;
  readonly hasExpression: boolean;
  /** Whether two nulls are the same to it. */
  readonly nullsAreSame: boolean;
}

export interface Table {
  /** As a statement names it, quoted where needed. */
  readonly name: string;
  readonly columns: readonly Column[];
  readonly unique: readonly UniqueIndex[];
  /** An estimate. */
  readonly rows: number;
}

/** What keeps two inserts of one thing apart, or why nothing does. */
export type Shape = "ok" | "no-key" | "surrogate-only" | "invalid" | "nullable" | "partial-only" | "expression";

export interface Judged {
  readonly shape: Shape;
  /** The index that would be a natural key, were it not for the shape. */
  readonly index: UniqueIndex | undefined;
}

export const reasons: Readonly<Record<Exclude<Shape, "ok">, string>> = {
  "no-key": "Nothing is unique: every insert succeeds, and a rerun doubles its rows.",
  "surrogate-only":
    "Only a value that the database makes up is unique: a rerun inserts the same things under new ones.",
  invalid: "The unique index was not built to its end, so it refuses nothing for certain: duplicates may be there.",
  nullable: "A column of the key may be null, and two nulls are no duplicates to it.",
  "partial-only": "The unique index holds for a part of the rows only.",
  expression:
    "What is unique is an expression: an upsert must repeat it word for word, and no load can look it up by columns.",
};

/** The best of its unique indexes decides. */
export function judge({ columns, unique }: Table): Judged {
  const byName = new Map(columns.map((column) => [column.name, column]));
  const isNatural = (index: UniqueIndex) =>
    index.hasExpression ||
    (index.columns.length > 0 && index.columns.every((name) => byName.get(name)?.isMadeUp === false));
  const natural = unique.filter(isNatural);
  const shapeOf = (index: UniqueIndex): Shape => {
    if (!index.isValid) return "invalid";
    if (index.hasExpression) return "expression";
    if (index.isPartial) return "partial-only";
    return !index.nullsAreSame && index.columns.some((name) => byName.get(name)?.isNullable !== false)
      ? "nullable"
      : "ok";
  };
  for (const shape of ["ok", "invalid", "nullable", "partial-only", "expression"] as const) {
    const index = natural.find((one) => shapeOf(one) === shape);
    if (index !== undefined) return { shape, index };
  }
  return { shape: unique.length > 0 ? "surrogate-only" : "no-key", index: undefined };
}

const nameOfKey =
  /(?:^|_)(?:ref|reference|no|nr|number|code|email|sku|isin|iban|slug|key|external_id|ext_id|message_id|event_id|idempotency_key|txn_id|transaction_id|username|login)$/i;
const nameOfDate = /(?:^|_)(?:date|day|month|period|valid_from|as_of)$/i;

/** Columns that look as if they told things apart, the likeliest first. */
export function candidatesOf({ columns }: Table, { index }: Judged): readonly (readonly string[])[] {
  const found: string[][] = [];
  const add = (names: readonly string[]) => {
    if (names.length > 0 && !found.some((one) => one.join() === names.join())) found.push([...names]);
  };
  if (index !== undefined && !index.hasExpression) add(index.columns);
  const given = columns.filter((column) => !column.isMadeUp);
  const keys = given.filter(({ name }) => nameOfKey.test(name));
  const date = given.find(({ name, type }) => nameOfDate.test(name) || /^date$/i.test(type));
  for (const { name } of keys.filter(({ isDistinct }) => isDistinct)) add([name]);
  for (const { name, isDistinct, type } of given) {
    // an instant, or an amount, is seldom repeated and tells nothing apart
    if (isDistinct && !/time|real|double|float|numeric|decimal|money|json|bytea|blob/i.test(type)) add([name]);
  }
  for (const { name } of keys) add([name]);
  for (const { name } of keys) if (date !== undefined && date.name !== name) add([name, date.name]);
  return found.slice(0, 3);
}
