import { DrizzleQueryError } from "drizzle-orm";
import { DatabaseError } from "pg";
import { DatabaseError as SequelizeError } from "sequelize";
import { QueryFailedError } from "typeorm";
import { expect, test } from "vitest";
import { databaseErrorOf } from "../../src/contract/database-error.ts";

/** What the mappers throw when they run is held by the conformance suite; here is what they may throw besides. */

const conflict = Object.assign(new DatabaseError("conflict", 8, "error"), { code: "40001" });
/** As Prisma makes them. */
const prisma = (code: string, meta: object) =>
  Object.assign(new Error("prisma"), { code, meta, clientVersion: "7.0.0" });

test("the driver's error is found in each mapper's, however deep, and as it is when nothing is around it", () => {
  const sequelize = new SequelizeError(Object.assign(conflict, { sql: "select 1" }));
  for (const error of [
    conflict,
    new DrizzleQueryError("select 1", [], conflict),
    new QueryFailedError("select 1", [], conflict),
    sequelize,
    new Error("theirs", { cause: new DrizzleQueryError("select 1", [], sequelize) }),
  ]) {
    expect(databaseErrorOf(error)).toBe(conflict);
  }
});

test("a SQLSTATE that looks like one of Prisma's codes is the database's", () => {
  const raised = Object.assign(new DatabaseError("raised", 6, "error"), { code: "P0001" });
  expect(databaseErrorOf(new DrizzleQueryError("select 1", [], raised))).toBe(raised);
});

test("an error without a database's inside is returned as it is, though it causes itself", () => {
  const own = new Error("no");
  expect(databaseErrorOf(own)).toBe(own);
  own.cause = own;
  expect(databaseErrorOf(own)).toBe(own);
  expect(databaseErrorOf("text")).toEqual({});
  expect(databaseErrorOf(undefined)).toEqual({});
});

test.each([
  ["a raw query without a driver adapter", prisma("P2010", { code: "23505", message: "duplicate" }), "23505"],
  [
    "a raw query with a driver adapter",
    prisma("P2010", { driverAdapterError: { cause: { originalCode: "40P01", kind: "postgres" } } }),
    "40P01",
  ],
  ["a driver adapter's alone", new Error("adapter", { cause: { originalCode: "40001" } }), "40001"],
  ["a write conflict", prisma("P2034", {}), "40001"],
  ["a write conflict without meta", Object.assign(prisma("P2034", {}), { meta: undefined }), "40001"],
])("Prisma's error tells the database's code: %s", (_, error, code) => {
  expect(databaseErrorOf(error)).toMatchObject({ code });
});

test("an error of Prisma's own stays as it is", () => {
  const error = prisma("P2025", { modelName: "Booking" });
  expect(databaseErrorOf(error)).toBe(error);
});
