import { databaseErrorOf } from "../../contract/database-error.ts";
import type { Dialect, Job } from "../dialect.ts";
import { apply, preview } from "./apply.ts";
import { misfits, source, target } from "./catalogue.ts";
import { statements } from "./statements.ts";
import { compare, cut, survey } from "./survey.ts";

/** Serialization, deadlock, a row that another inserted first, a lock that was waited for too long. */
const conflicts: readonly unknown[] = ["40001", "40P01", "23505", "55P03"];

/** A key twice in one statement; no such key, table or column. */
const refusals: readonly unknown[] = ["21000", "42P10", "42P01", "42703"];

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
  isOtherKey,
  mayBeRefused: (error) => refusals.includes(databaseErrorOf(error).code),
};

/** An error that names no constraint, as some mappers' do, counts as one: the identity's key is what the upsert resolves. */
function isOtherKey(error: unknown, job: Job): boolean {
  const told: { readonly code?: unknown; readonly constraint?: unknown; readonly constraint_name?: unknown } =
    databaseErrorOf(error);
  if (told.code !== "23505") return false;
  const name = String(told.constraint ?? told.constraint_name);
  const key = job.target.keys.find((one) => one.name === name);
  const ofIdentity =
    key?.columns.length === job.identity.length && job.identity.every((column) => key.columns.includes(column.name));
  // rows of the ledger are written in the same transaction
  return !ofIdentity && !name.startsWith("reprise_");
}
