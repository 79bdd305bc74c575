import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { openDatabase } from "../../database/driver.ts";
import { blobOf } from "../../jobs/enrichment.ts";
import type { Prices } from "../../prices/client.ts";
import type { BlobHistory } from "./blob-history.ts";

export interface NaiveSources {
  readonly path: string;
  readonly prices: Prices;
  readonly directory: string;
  readonly history: BlobHistory;
  /** After each step. */
  readonly at: (step: "blob" | "mark") => void;
}

/** The usual worker, as most write it: read who is pending, then for each ask, write the blob, mark. */
export async function enrichPending(sources: NaiveSources): Promise<number> {
  const { prices, directory, history } = sources;
  const database = openDatabase(sources.path);
  const pending = database.prepare("select user, change from customers where enriched < change order by user").all();
  const mark = database.prepare("update customers set enriched = ? where user = ?");
  for (const row of pending) {
    const customer = { customer: String(row["user"]), change: Number(row["change"]) };
    const price = await prices.ask(customer, null);
    const bytes = new TextEncoder().encode(JSON.stringify({ ...customer, ...price }));
    const file = join(directory, blobOf(customer));
    history.note(blobOf(customer), bytes);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, bytes);
    sources.at("blob");
    mark.all(customer.change, customer.customer);
    sources.at("mark");
  }
  database.close();
  return pending.length;
}
