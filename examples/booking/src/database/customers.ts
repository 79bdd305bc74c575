import type { SqliteTransaction } from "reprise/sqlite";

/** Who books. A change of what they booked is a change of theirs, and what it costs to cover them is asked anew. */

export const customerTables = `
  create table if not exists customers (
    user text primary key, change integer not null, changed_at integer not null, enriched integer not null default 0
  );
`;

export async function noteCustomer(tx: SqliteTransaction, user: string): Promise<void> {
  await tx.query(
    `insert into customers (user, change, changed_at) values (?, 1, ?)
     on conflict (user) do update set change = change + 1, changed_at = excluded.changed_at`,
    [user, Date.now()],
  );
}

export type CustomerChange = { readonly customer: string; readonly change: number };

/** Whose last change came before an instant and has not been enriched. */
export async function pendingCustomers(tx: SqliteTransaction, before: number): Promise<readonly CustomerChange[]> {
  const rows = await tx.query(
    "select user, change from customers where changed_at < ? and enriched < change order by user limit 500",
    [before],
  );
  return rows.map((row) => ({ customer: String(row["user"]), change: Number(row["change"]) }));
}

/** A change that is older than what was enriched already marks nothing. */
export async function markEnriched(tx: SqliteTransaction, { customer, change }: CustomerChange): Promise<void> {
  await tx.query("update customers set enriched = ? where user = ? and enriched < ?", [change, customer, change]);
}
