import type { Acquired, Held, LeaseRequest, LeaseStanding, LeaseStore } from "../../contract/lease.ts";
import type { Connection } from "./driver.ts";
import type { SqliteFile } from "./file.ts";
import { rowsOf } from "./records.ts";
import type { SqliteTransaction, Transactions } from "./transaction.ts";

interface LeaseRow {
  readonly attempt: string;
  readonly token: number;
  readonly holder: string;
  /** `null`: it was released; the row stays for its token. */
  readonly until: number | null;
}

const gripped = "name = ? and attempt = ? and until is not null";

/** Who checks has the file's lock until its transaction ends: nobody takes a lease meanwhile, and nobody renews one. */
export function sqliteLeases(
  file: SqliteFile,
  ledger: string,
  transactions: Transactions,
): LeaseStore<SqliteTransaction> {
  return {
    name: ledger,
    acquire: async (request) => {
      // whoever walks away waits for no writer: what is committed says enough
      const held = await file.read("acquire lease", (connection, now) => heldByOther(connection, now, request));
      return held ?? file.write("acquire lease", (connection, now) => acquire(connection, now, request));
    },
    renew: ({ name, attempt }, leaseMs) =>
      file.write("renew lease", (connection, now) => {
        const text = `update reprise_lease set until = ? where ${gripped}`;
        return connection.run(text, [Math.ceil(now + leaseMs), name, attempt]) === 1;
      }),
    release: ({ name, attempt }) =>
      file.write(
        "release lease",
        (connection) => connection.run(`update reprise_lease set until = null where ${gripped}`, [name, attempt]) === 1,
      ),
    look: (name) => file.read("look at lease", (connection, now) => look(connection, now, name)),
    check: (tx, { name, attempt }) =>
      transactions.nest(tx, async ({ connection }) =>
        file.step("check lease", () => {
          const text = `select 1 as held from reprise_lease where ${gripped}`;
          return connection.get(text, [name, attempt]) !== undefined;
        }),
      ),
  };
}

function find(connection: Connection, name: string): LeaseRow | undefined {
  const [row] = rowsOf<LeaseRow>(
    connection.all("select attempt, token, holder, until from reprise_lease where name = ?", [name]),
  );
  return row;
}

function heldByOther(connection: Connection, now: number, { name, attempt }: LeaseRequest): Held | undefined {
  const row = find(connection, name);
  if (row === undefined || row.attempt === attempt || row.until === null || row.until <= now) return undefined;
  return { is: "held", holder: row.holder, forMs: row.until - now };
}

function acquire(connection: Connection, now: number, request: LeaseRequest): Acquired | Held {
  const held = heldByOther(connection, now, request);
  if (held !== undefined) return held;
  const { name, attempt, holder, leaseMs } = request;
  const [row] = rowsOf<{ readonly token: number }>(
    connection.all(
      `insert into reprise_lease (name, attempt, token, holder, until) values (?, ?, 1, ?, ?)
       on conflict do update set attempt = excluded.attempt, token = token + (attempt <> excluded.attempt),
         holder = excluded.holder, until = excluded.until returning token`,
      [name, attempt, holder, Math.ceil(now + leaseMs)],
    ),
  );
  return { is: "acquired", token: row?.token ?? 1 };
}

function look(connection: Connection, now: number, name: string): LeaseStanding | null {
  const row = find(connection, name);
  if (row === undefined) return null;
  return { token: row.token, holder: row.holder, forMs: Math.max(0, (row.until ?? now) - now) };
}
