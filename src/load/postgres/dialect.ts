import { databaseErrorOf } from "../../contract/database-error.ts";
import type { Dialect } from "../dialect.ts";
import { apply, preview } from "./apply.ts";
import { misfits, source, target } from "./catalogue.ts";
import { statements } from "./statements.ts";
import { compare, cut, survey } from "./survey.ts";

/** Serialization, deadlock, a row that another inserted first, a lock that was waited for too long. */
const conflicts: readonly unknown[] = ["40001", "40P01", "23505", "55P03"];

export const postgresDialect: Dialect = {
  name: "postgres",
  target,
  source,
  misfits,
  statements,
  survey,
  cut,
  apply,
  preview,
  compare,
  // it is kept as JSON, which is no literal of an array
  isBound: ({ type }) => !type.endsWith("[]"),
  isConflict: (error) => conflicts.includes(databaseErrorOf(error).code),
  isRepeatedKey: (error) => databaseErrorOf(error).code === "21000",
};
