import { describe, expect, test } from "vitest";
import { lintSql } from "../../src/inspect/index.ts";
import { mysqlPairs } from "./lint-sql/mysql.ts";
import { postgresPairs } from "./lint-sql/postgres.ts";
import { programPairs } from "./lint-sql/programs.ts";
import { sqlitePairs } from "./lint-sql/sqlite.ts";
import { tsqlPairs } from "./lint-sql/tsql.ts";

/** Snippets that are not safe to run twice, each with a twin that is. None may be missed, none accused. */

const suites = [
  { name: "PostgreSQL", dialect: "postgres", file: "a.sql", pairs: postgresPairs },
  { name: "MySQL", dialect: "mysql", file: "a.sql", pairs: mysqlPairs },
  { name: "SQLite", dialect: "sqlite", file: "a.sql", pairs: sqlitePairs },
  { name: "T-SQL", dialect: "tsql", file: "a.sql", pairs: tsqlPairs },
  { name: "programs", dialect: undefined, file: "a.ts", pairs: programPairs },
] as const;

describe.each(suites)("$name", ({ dialect, file, pairs }) => {
  test.each(pairs)("$name", ({ rule, unsound, sound }) => {
    expect(lintSql(unsound, { dialect, file }).map((finding) => finding.rule)).toEqual([rule]);
    expect(lintSql(sound, { dialect, file })).toEqual([]);
  });
});
