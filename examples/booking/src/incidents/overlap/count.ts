import type { CustomerChange } from "../../database/customers.ts";
import { openDatabase, type Row } from "../../database/driver.ts";
import { blobOf } from "../../jobs/enrichment.ts";

/** How the price API's own ledger and the history of the blobs tell of changes of customers. */
export interface Damage {
  /** Changes that were paid for more than once. */
  readonly billedTwice: number;
  /** Blobs of which two different versions were written, or tried to be. */
  readonly differentBlobs: number;
}

export interface Books {
  readonly prices: string;
  readonly history: string;
}

export function damageIn(books: Books, changes: readonly CustomerChange[]): Damage {
  const calls = rowsOf(books.prices, "select customer, change from calls group by 1, 2 having count(*) > 1");
  const blobs = rowsOf(books.history, "select name from versions group by name having count(distinct sha256) > 1");
  const twice = new Set(calls.map(nameIn));
  const differing = new Set(blobs.map((row) => String(row["name"])));
  return {
    billedTwice: changes.filter((change) => twice.has(blobOf(change))).length,
    differentBlobs: changes.filter((change) => differing.has(blobOf(change))).length,
  };
}

/** Calls for these changes that cost money. */
export function callsFor({ prices }: Books, changes: readonly CustomerChange[]): number {
  const asked = new Set(changes.map(blobOf));
  return rowsOf(prices, "select customer, change from calls").filter((row) => asked.has(nameIn(row))).length;
}

const nameIn = (row: Row) => blobOf({ customer: String(row["customer"]), change: Number(row["change"]) });

function rowsOf(path: string, sql: string) {
  const database = openDatabase(path);
  try {
    return database.prepare(sql).all();
  } finally {
    database.close();
  }
}
