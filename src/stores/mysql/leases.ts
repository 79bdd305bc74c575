import type { AttemptId } from "../../base/names.ts";
import type { Acquired, Grip, Held, LeaseRequest, LeaseStanding, LeaseStore } from "../../contract/lease.ts";
import type { SqlDatabase } from "../../contract/sql.ts";
import type { QueryResult } from "../../contract/transactions.ts";
import type { Database } from "./database.ts";
import { type Connection, isDuplicate } from "./driver.ts";
import { bounded } from "./limits.ts";
import { bytes, clock, hexOf, id16, micros, type Row, textOf } from "./records.ts";
import { unlessLocked } from "./server.ts";

/**
 * A row for each name. It stays when its lease is released, so that its token never returns; then it has no end. An attempt
 * that is null was released by an earlier version.
 */
export function mysqlLeases<Tx>(database: Database, sql: SqlDatabase<Tx>, ledger: string): LeaseStore<Tx> {
  return {
    name: ledger,
    acquire: (request) => database.each("acquire lease", (connection) => acquire(connection, request)),
    renew: async (grip, leaseMs) => {
      const { count } = await database.one(
        "renew lease",
        `update reprise_lease set lease_until = ${clock} + ? where ${gripped}`,
        [micros(leaseMs), ...gripOf(grip)],
      );
      return count === 1;
    },
    release: async (grip) => {
      const { count } = await database.one(
        "release lease",
        `update reprise_lease set lease_until = 0 where ${gripped}`,
        gripOf(grip),
      );
      return count === 1;
    },
    look: (name) =>
      database.each("look at lease", async (connection) => {
        const lease = await read(connection, name);
        return lease === undefined
          ? null
          : { token: lease.token, holder: lease.holder, forMs: Math.max(0, lease.forMs) };
      }),
    check: async (tx, grip) => {
      // it reads what is committed, whatever the transaction's snapshot shows: a heartbeat since then is no conflict
      const { mayRefuseChanged } = await database.server("check lease");
      const latest = mayRefuseChanged ? "set statement innodb_snapshot_isolation=0 for " : "";
      const text = `${latest}select token from reprise_lease where ${gripped} lock in share mode`;
      const { rows } = await database.step("check lease", sql.query(tx, text, gripOf(grip)));
      return rows.length === 1;
    },
  };
}

/** Milliseconds until it ends; 0 or less: nobody has it. */
interface Lease extends LeaseStanding {
  readonly holder: string;
  readonly forMs: number;
  readonly attempt: AttemptId | null;
}

const longestName = 1_020;
const nameOf = (name: string): Uint8Array => bounded(name, longestName, "lease");

const gripped = "name = ? and attempt = ? and lease_until > 0";
const gripOf = ({ name, attempt }: Grip) => [nameOf(name), id16(attempt)] as const;

const select = `select attempt, token, holder, lease_until - ${clock} as left_us from reprise_lease where name = ?`;

async function read(connection: Connection, name: string): Promise<Lease | undefined> {
  return standingOf(await connection.query(select, [nameOf(name)]));
}

function standingOf({ rows }: QueryResult): Lease | undefined {
  return rows.map(leaseOf)[0];
}

function leaseOf(row: Row): Lease {
  const attempt = row["attempt"];
  return {
    attempt: attempt === null ? null : (hexOf(attempt) as AttemptId),
    token: Number(row["token"]),
    holder: textOf(row["holder"]),
    forMs: Math.ceil(Number(row["left_us"]) / 1_000),
  };
}

async function acquire(connection: Connection, request: LeaseRequest): Promise<Acquired | Held> {
  const { attempt } = request;
  const found =
    (await seize(connection, request)) ?? (await insert(connection, request)) ?? (await seize(connection, request));
  // somebody has written it, and is about to commit
  if (found === undefined) return { is: "held", holder: null, forMs: null };
  if ("is" in found) return found;
  const { token, holder, forMs } = found;
  if (found.attempt === attempt && forMs > 0) return { is: "acquired", token };
  return { is: "held", holder, forMs: Math.max(0, forMs) };
}

/** The first lease of a name. `undefined`: another one was first. */
async function insert(
  connection: Connection,
  { name, attempt, holder, leaseMs }: LeaseRequest,
): Promise<Acquired | undefined> {
  try {
    const inserted = await unlessLocked(
      connection,
      `insert into reprise_lease (name, attempt, token, holder, lease_until) values (?, ?, 1, ?, ${clock} + ?)`,
      [nameOf(name), id16(attempt), bytes(holder), micros(leaseMs)],
    );
    return inserted === "locked" ? undefined : { is: "acquired", token: 1 };
  } catch (error) {
    if (isDuplicate(error)) return undefined;
    throw error;
  }
}

/** Nobody's, or the asker's already, which it then keeps for longer. */
const free = `name = ? and (attempt = ? or lease_until <= ${clock})`;

/**
 * It waits for nobody: whoever has the row locked takes, renews or checks the lease. The limit keeps the inner query from being
 * merged into the update, which would wait.
 */
const take = `update (select name, if(attempt = ?, token, token + 1) as token from reprise_lease where ${free}
      limit 1 for update skip locked) as free
    straight_join reprise_lease as lease on lease.name = free.name
  set lease.attempt = ?, lease.token = free.token, lease.holder = ?, lease.lease_until = ${clock} + ?`;

const isFree = `select 1 as free from reprise_lease where ${free}`;

/**
 * Takes the lease if it is free, and reads how it stands: on MariaDB in one trip. Whoever walks away has locked nothing, so
 * that no renewal ever waits for them. `undefined`: there is none of this name.
 */
async function seize(connection: Connection, request: LeaseRequest): Promise<Lease | undefined> {
  const { holder, leaseMs } = request;
  const name = nameOf(request.name);
  const attempt = id16(request.attempt);
  const taking = [attempt, name, attempt, attempt, bytes(holder), micros(leaseMs)];
  if (connection.dialect === "mariadb") {
    const text = `begin not atomic if exists (${isFree}) then ${take}; end if; ${select}; end`;
    return standingOf(await connection.query(text, [name, attempt, ...taking, name]));
  }
  const { rows } = await connection.query(isFree, [name, attempt]);
  if (rows.length > 0) await connection.query(take, taking);
  return read(connection, request.name);
}
