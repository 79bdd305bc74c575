import { RepriseError } from "../../base/errors.ts";
import type { LedgerSchema, SchemaOptions } from "../../contract/ledger-schema.ts";
import { checkVersion, compare, compareVersion, createdByOpening, type Difference, mayNotCreate } from "../schema.ts";
import { functions } from "./database-steps.ts";
import { sqlState } from "./failure.ts";
import { compareFunctions, createFunctions } from "./functions.ts";
import { catalogue, type LiveSchema, liveSchema, type Partition } from "./live.ts";
import { textOf } from "./rows.ts";
import { inSchema, partition, quoted, schemaVersion, statementsIn, tables, versionRow } from "./schema.ts";
import { type Ask, type PostgresServer, step } from "./server.ts";

/** Any number, as long as every instance takes the same. */
const creationLock = "7305808869229538931";

/** Who changes a table that is in use waits in front of everybody: after so long everybody goes on instead. */
const boundedLock = "set local lock_timeout = '5s'";

/** More would be slower to look through than a partition is to vacuum. */
const mostPartitions = 1_024;

interface Found extends LiveSchema {
  readonly hasSchema: boolean;
  readonly version: string | undefined;
}

async function find(ask: Ask, ledger: string, schema: string): Promise<Found> {
  const [about, facts] = await ask([step(surroundings, schema), step(catalogue, schema)]);
  const row = about?.rows[0] ?? {};
  if (row["encoding"] !== "UTF8") {
    throw new RepriseError("REPRISE_LEDGER_UNUSABLE", { ledger, why: "its database is not encoded in UTF-8" });
  }
  const live = liveSchema(facts?.rows ?? []);
  const [version] = live.tables.has("reprise_meta")
    ? await ask([step("select value from @meta where name = 'schema'")])
    : [];
  const value = version?.rows[0]?.["value"];
  return {
    ...live,
    hasSchema: row["present"] === "yes",
    version: value === undefined ? undefined : textOf(value),
  };
}

const surroundings = `select current_setting('server_encoding') as encoding,
  case when exists (select 1 from pg_namespace where nspname = $1) then 'yes' else 'no' end as present`;

/** Divided once, it stays so: the tables themselves tell. */
export function isPartitioned({ tables }: LiveSchema): boolean {
  return tables.get("reprise_work")?.options.startsWith("partition") === true;
}

function differences(found: Found, schema: string, wanted: number | null, creating: boolean): readonly Difference[] {
  const isThere = found.tables.has("reprise_work");
  const divided = isThere ? isPartitioned(found) : wanted !== null;
  const modulus = divided ? (found.partitions[0]?.modulus ?? wanted) : null;
  const statements = statementsIn(schema, divided ? (modulus ?? 0) : null, creating);
  const expected = tables(divided);
  const differing = compare(expected, found.tables, statements);
  const parts = expected
    .filter(({ name, options }) => options?.startsWith("partition") === true && found.tables.has(name))
    .flatMap(({ name }) =>
      comparePartitions(
        schema,
        name,
        found.partitions.filter(({ table }) => table === name),
      ),
    );
  const version = found.tables.has("reprise_meta")
    ? compareVersion(found.version, schemaVersion, inSchema(versionRow, schema))
    : [];
  return [...version, ...differing, ...parts, ...compareFunctions(functions, divided, schema, found.functions)];
}

function comparePartitions(schema: string, table: string, found: readonly Partition[]): readonly Difference[] {
  const cramped = found
    .filter(({ isRoomy }) => !isRoomy)
    .map(({ name }): Difference => {
      const mend = [`alter table ${quoted(schema)}.${quoted(name)} set (fillfactor=85)`];
      return { what: `Partition ${name} of ${table} has not "fillfactor=85".`, mend, creates: null };
    });
  const covered = found.reduce((sum, { modulus }) => sum + 1 / modulus, 0);
  if (covered > 1 - 1e-9) return cramped;
  const modulus = found[0]?.modulus;
  if (modulus === undefined || found.some((one) => one.modulus !== modulus)) {
    const what = `Table ${table} lacks partitions, and they are not all of one size: create those that are missing.`;
    return [...cramped, { what, mend: [], creates: null }];
  }
  const there = new Set(found.map(({ remainder }) => remainder));
  const missing = Array.from({ length: modulus }, (_, remainder) => remainder).filter((one) => !there.has(one));
  return [
    ...cramped,
    ...missing.map((remainder): Difference => {
      const mend = [partition(schema, table, modulus, remainder)];
      return { what: `The partition ${remainder} of ${modulus} of ${table} is missing.`, mend, creates: "table" };
    }),
  ];
}

function createSchema(found: Pick<Found, "hasSchema">, schema: string): readonly string[] {
  // it takes a privilege that a ledger's role need not have where the schema is there
  return found.hasSchema ? [] : [`create schema if not exists ${quoted(schema)}`];
}

/**
 * One instance creates, the others wait for it and find everything there.
 * @throws REPRISE_LEDGER_UNUSABLE
 */
async function createTogether(ask: Ask, ledger: string, statements: readonly string[]): Promise<void> {
  if (statements.length === 0) return;
  try {
    await ask([
      step("begin isolation level read committed"),
      step("select pg_advisory_xact_lock($1::bigint)", creationLock),
      step(boundedLock),
      ...statements.map((text) => step(text)),
      step("commit"),
    ]);
  } catch (error) {
    if (sqlState(error) !== "42501") throw error;
    throw new RepriseError("REPRISE_LEDGER_UNUSABLE", { ledger, why: mayNotCreate }, error);
  }
}

/**
 * Creates what opening creates. Whoever may create nothing can use what is there. Returns whether it is partitioned.
 * @throws REPRISE_LEDGER_SCHEMA, REPRISE_LEDGER_UNUSABLE
 */
export async function openSchema(ask: Ask, ledger: string, schema: string): Promise<boolean> {
  const found = await find(ask, ledger, schema);
  if (found.tables.has("reprise_meta")) checkVersion(ledger, found.version, schemaVersion);
  const missing = createdByOpening(differences(found, schema, null, true));
  if (missing.length === 0) return isPartitioned(found);
  await createTogether(ask, ledger, [...createSchema(found, schema), ...missing]);
  const created = await find(ask, ledger, schema);
  checkVersion(ledger, created.version, schemaVersion);
  return isPartitioned(created);
}

export function postgresSchema(server: PostgresServer, schema: string): LedgerSchema {
  const { ledger } = server;
  return {
    statements: (options) => {
      const partitions = partitionsOf(options);
      const statements = statementsIn(schema, partitions, true);
      return [
        ...createSchema({ hasSchema: false }, schema),
        ...tables(partitions !== null).flatMap((table) => [
          ...statements.create(table),
          ...Object.entries(table.later ?? {}).map(([name, definition]) =>
            statements.addColumn(table, name, definition),
          ),
        ]),
        ...createFunctions(functions, partitions !== null, schema),
      ];
    },
    migrate: (options) =>
      server.unopened("migrate", async (ask) => {
        const partitions = partitionsOf(options);
        const before = await find(ask, ledger, schema);
        if (before.tables.has("reprise_meta")) checkVersion(ledger, before.version, schemaVersion);
        refuseDividing(before, partitions);
        const tablesFirst = [
          ...createSchema(before, schema),
          ...createdByOpening(differences(before, schema, partitions, true)),
        ];
        await createTogether(ask, ledger, tablesFirst);
        // beside those who write, so outside of any transaction
        const found = await find(ask, ledger, schema);
        const indexes = differences(found, schema, null, false)
          .filter(({ creates }) => creates === "index")
          .flatMap(({ mend }) => mend);
        for (const text of indexes) await ask([step(text)]);
        return [...tablesFirst, ...indexes];
      }),
    differences: () =>
      server.unopened("compare", async (ask) => differences(await find(ask, ledger, schema), schema, null, false)),
  };
}

function partitionsOf({ partitions }: SchemaOptions = {}): number | null {
  if (partitions === undefined) return null;
  if (Number.isInteger(partitions) && partitions > 1 && partitions <= mostPartitions) return partitions;
  throw new RepriseError("REPRISE_BAD_DECLARATION", {
    where: "partitions",
    why: `it is no whole number from 2 to ${mostPartitions}.`,
    mend: "Use 64, so that a partition of a billion records holds 16 million.",
  });
}

function refuseDividing(found: Found, wanted: number | null): void {
  if (wanted === null || !found.tables.has("reprise_work")) return;
  const modulus = isPartitioned(found) ? found.partitions[0]?.modulus : undefined;
  if (modulus === wanted) return;
  throw new RepriseError("REPRISE_BAD_DECLARATION", {
    where: "partitions",
    why: `the table of works is there, ${modulus === undefined ? "in one piece" : `in ${modulus} partitions`}.`,
    mend: "Leave the option out, or create the tables in another schema: what is kept cannot be divided anew in place.",
  });
}
