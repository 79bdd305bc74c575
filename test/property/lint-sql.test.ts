import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { dialects, lintSql } from "../../src/inspect/index.ts";
import { mysqlPairs } from "../unit/lint-sql/mysql.ts";
import { postgresPairs } from "../unit/lint-sql/postgres.ts";
import { programPairs } from "../unit/lint-sql/programs.ts";
import { sqlitePairs } from "../unit/lint-sql/sqlite.ts";
import { tsqlPairs } from "../unit/lint-sql/tsql.ts";

/** Whatever a file holds, it is read to its end, and every finding points into it. */

const pieces = [
  ...[
    "insert into t (a)",
    "if not exists (select 1 from t)",
    "then",
    "begin",
    "end",
    ";",
    "else",
    "$$",
    "$a$",
    "'",
    '"',
    "`",
    "[",
    "]",
  ],
  ...[
    "(",
    ")",
    "/*",
    "*/",
    "--",
    "\n",
    "GO\n",
    "delimiter //\n",
    "merge t using s on a = b when not matched then insert",
    "delete from t",
  ],
  ...[
    "with x as (",
    "where not exists (",
    "create function f() as",
    "loop",
    "case when",
    "${",
    "}",
    "{",
    "await t.findOne({ a })",
    "if (!x)",
  ],
  ...[
    "const x =",
    "await t.create({})",
    "=>",
    "/",
    "\\",
    "?",
    ":",
    "??",
    ".",
    "\uE000",
    "\u{1F600}",
    "sql`",
    "+",
    "else if",
    "#",
    "@a",
  ],
];
const text = fc.oneof(
  fc.string({ unit: "binary", maxLength: 200 }),
  fc.array(fc.constantFrom(...pieces), { maxLength: 60 }).map((some) => some.join(" ")),
  fc.array(fc.constantFrom(...pieces), { maxLength: 60 }).map((some) => some.join("")),
);
const file = fc.constantFrom("a.sql", "a.ts", "a.mysql.sql");

describe("any text", () => {
  test("is read without an error, and findings are inside of it", () => {
    fc.assert(
      fc.property(text, fc.option(fc.constantFrom(...dialects), { nil: undefined }), file, (source, dialect, name) => {
        const lines = source.split("\n");
        for (const { line, column } of lintSql(source, { dialect, file: name })) {
          expect(lines[line - 1]).toBeDefined();
          expect(column).toBeGreaterThan(0);
          expect(column).toBeLessThanOrEqual((lines[line - 1]?.length ?? 0) + 1);
        }
      }),
      { numRuns: 2_000 },
    );
  });

  test("takes time that grows with it, whatever opens and never closes", () => {
    for (const piece of pieces) {
      for (const dialect of dialects) {
        const source = `${piece} `.repeat(4_000);
        const since = performance.now();
        lintSql(source, { dialect, file: "a.sql" });
        lintSql(source, { dialect, file: "a.ts" });
        expect({ piece, ms: performance.now() - since }).toMatchObject({
          ms: expect.toSatisfy((ms: number) => ms < 4_000),
        });
      }
    }
  });
});

const quoted = (source: string) => `'${source.replaceAll("\\", "\\\\").replaceAll("'", "''")}'`;
const suites = [
  { dialect: "postgres", pairs: postgresPairs },
  { dialect: "mysql", pairs: mysqlPairs },
  { dialect: "sqlite", pairs: sqlitePairs },
  { dialect: "tsql", pairs: tsqlPairs },
] as const;

describe.each(suites)("what is only said in $dialect", ({ dialect, pairs }) => {
  test.each(pairs)("is no finding: $name", ({ unsound }) => {
    const commented = unsound
      .split("\n")
      .map((line) => `-- ${line}`)
      .join("\n");
    expect(lintSql(commented, { dialect, file: "a.sql" })).toEqual([]);
    expect(
      lintSql(`/* ${unsound.replaceAll("/*", "").replaceAll("*/", "")} */ select 1;`, { dialect, file: "a.sql" }),
    ).toEqual([]);
    expect(lintSql(`select ${quoted(unsound)};`, { dialect, file: "a.sql" })).toEqual([]);
  });
});

test.each(programPairs)("what is only said in a program is no finding: $name", ({ unsound }) => {
  expect(
    lintSql(
      unsound
        .split("\n")
        .map((line) => `// ${line}`)
        .join("\n"),
      { file: "a.ts" },
    ),
  ).toEqual([]);
  expect(lintSql(`const said = ${JSON.stringify(`It reads: ${unsound}`)};`, { file: "a.ts" })).toEqual([]);
});
