import pg from "pg";
import { isRepriseError } from "../../src/base/errors.ts";
import { createReprise } from "../../src/index.ts";
import { postgresLedger } from "../../src/stores/postgres/index.ts";

/** The process of lease-processes.test.ts: holds a lease, writes in a transaction, and waits there until it is told to go on. */
export interface LeaseWorkerSettings {
  readonly url: string;
  readonly schema: string;
  readonly lease: "1s";
}
export type FromLeaseWorker =
  | { readonly is: "inside"; readonly token: number }
  | {
      readonly is: "told";
      readonly transaction: string;
      /** What its signal was aborted with, when its work ended. */
      readonly aborted: string | null;
      readonly hold: string;
    };

const settings = JSON.parse(process.argv[2] ?? "") as LeaseWorkerSettings;
const tell = (message: FromLeaseWorker) => process.send?.(message);
const codeOf = (error: unknown) => (isRepriseError(error) ? error.code : String(error));
const went = new Promise<void>((resolve) => process.once("message", () => resolve()));

const pool = new pg.Pool({ connectionString: settings.url, max: 3 });
const ledger = postgresLedger({ pool, schema: settings.schema });
const reprise = createReprise({ service: "chaos", ledger, instance: "zombie" });

let transaction = "not begun";
let aborted: string | null = null;
const hold = await reprise
  .lease("export", { lease: settings.lease })
  .hold(async ({ signal, token, transaction: fenced }) => {
    transaction = await fenced(async (tx) => {
      await tx.query(`insert into ${settings.schema}.booking (identity) values ($1)`, ["zombie"]);
      tell({ is: "inside", token });
      await went;
      return "committed";
    }).catch(codeOf);
    aborted = signal.aborted ? codeOf(signal.reason) : null;
  })
  .then(({ status }) => status, codeOf);
tell({ is: "told", transaction, aborted, hold });
await reprise.close();
await pool.end();
process.disconnect();
