import { databaseErrorOf } from "../../contract/database-error.ts";
import type { Dialect } from "../dialect.ts";
import { RepeatedKey } from "../rows.ts";
import { apply, preview } from "./apply.ts";
import { misfits, source, target } from "./catalogue.ts";
import { compare } from "./compare.ts";
import { statements } from "./statements.ts";
import { cut, survey } from "./survey.ts";

/** A deadlock, also over the table's next number, a lock that was waited for too long, a row that a snapshot has missed. */
const conflicts: readonly unknown[] = [1213, 1467, 1205, 1020];

/** No such table or column. */
const missing: readonly unknown[] = [1146, 1054];

/** MariaDB, and MySQL from 8.0 on. */
export const mysqlDialect: Dialect = {
  name: "mysql",
  ...{ target, source, misfits, statements },
  ...{ survey, cut, apply, preview, compare },
  // as text its bytes would be letters, of which a number is not made again
  isBound: ({ type }) => !/^bit\b/.test(type),
  isConflict: (error) => conflicts.includes(numberOf(error)) || conflicts.includes(databaseErrorOf(error).errno),
  mayBeRefused: (error) =>
    error instanceof RepeatedKey || missing.includes(numberOf(error)) || missing.includes(databaseErrorOf(error).errno),
};

/** Of an error of the ledger's around the server's. */
function numberOf(error: unknown): unknown {
  return typeof error === "object" && error !== null && "errno" in error ? error.errno : undefined;
}
