import type { AttemptId } from "../../base/names.ts";
import type { Acquired, Grip, Held, LeaseRequest, LeaseStanding, LeaseStore } from "../../contract/lease.ts";
import type { SqlDatabase } from "../../contract/sql.ts";
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
  const { rows } = await connection.query(select, [nameOf(name)]);
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

function heldBy({ holder, forMs }: Lease): Held {
  return { is: "held", holder, forMs: Math.max(0, forMs) };
}

async function acquire(connection: Connection, request: LeaseRequest): Promise<Acquired | Held> {
  const { name, attempt } = request;
  const isMine = (lease: Lease) => lease.attempt === attempt;
  const found = (await read(connection, name)) ?? (await insert(connection, request)) ?? (await read(connection, name));
  // somebody has written it, and is about to commit
  if (found === undefined) return { is: "held", holder: null, forMs: null };
  if ("is" in found) return found;
  // whoever walks away has locked nothing: no renewal ever waits for them
  if (found.forMs > 0 && !isMine(found)) return heldBy(found);
  const token = isMine(found) ? found.token : found.token + 1;
  if (await take(connection, request, found, token)) return { is: "acquired", token };
  const standing = (await read(connection, name)) ?? found;
  return isMine(standing) && standing.forMs > 0 ? { is: "acquired", token: standing.token } : heldBy(standing);
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

/**
 * Takes what was found over, or extends what is the asker's already, if nobody was quicker. It waits for nobody: whoever has
 * the row locked takes, renews or checks the lease. The limit keeps the inner query from being merged into the update,
 * which would wait.
 */
async function take(connection: Connection, request: LeaseRequest, found: Lease, token: number): Promise<boolean> {
  const { name, attempt, holder, leaseMs } = request;
  const { count } = await connection.query(
    `update (select name from reprise_lease where name = ? and token = ? and (attempt = ? or lease_until <= ${clock})
         limit 1 for update skip locked) as free
       straight_join reprise_lease as lease on lease.name = free.name
     set lease.attempt = ?, lease.token = ?, lease.holder = ?, lease.lease_until = ${clock} + ?`,
    [nameOf(name), found.token, id16(attempt), id16(attempt), token, bytes(holder), micros(leaseMs)],
  );
  return count === 1;
}
