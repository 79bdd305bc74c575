import mysql from "mysql2/promise";
import { nameOf, newAttemptId } from "../../src/base/names.ts";
import type { ClaimRequest, Ledger } from "../../src/contract/ledger.ts";
import { mysqlLedger } from "../../src/stores/mysql/index.ts";
import { sqliteLedger } from "../../src/stores/sqlite/index.ts";
import { mysqlServer } from "../support/mysql.ts";

/** One of the processes of ledger-processes.test.ts: tries to run every identity once as external and as database work. */
export interface Raced {
  readonly external: number;
  readonly database: number;
  /** Every outcome it was told, by mode and identity. */
  readonly told: Readonly<Record<string, string>>;
}

const [store = "", path = "", process_ = "", count = ""] = process.argv.slice(2);
const pool = store === "mysql" ? mysql.createPool({ ...mysqlServer, database: path, connectionLimit: 8 }) : undefined;
/** Both hand out what one statement is run with. */
type Tx = { readonly query: (text: string, params: readonly (string | number)[]) => Promise<unknown> };
const ledger: Ledger<Tx> =
  pool === undefined ? sqliteLedger({ path, busy: "60s" }) : mysqlLedger({ pool, wait: "60s", deadline: "60s" });

function request(mode: string, identity: number): ClaimRequest {
  return {
    name: nameOf("work", ["chaos", mode, identity]),
    // half of the processes send the same key, the other half another one
    key: identity % 3 === 0 ? null : nameOf("key", ["chaos", mode, identity, Number(process_) % 2]),
    print: { version: 1, hash: "payload" },
    keepMs: 3_600_000,
    leaseMs: 600_000,
    attempt: newAttemptId(),
    input: null,
    resuming: false,
    about: { operation: mode, identity: String(identity), principal: "chaos", key: null, owner: process_ },
    parent: null,
    intent: null,
  };
}

async function external(identity: number): Promise<boolean> {
  const claim = await ledger.claim(request("external", identity));
  if (claim.is !== "won") return false;
  await ledger.start(claim.fence, { effect: "call", settleMs: 1_000 });
  await ledger.pin(claim.fence.id, "call", process_);
  const end = await ledger.complete(claim.fence, {
    outcome: `by ${process_}`,
    refused: false,
    keepMs: 3_600_000,
    visited: ["call"],
  });
  if (end !== "done") throw new Error(`completion: ${end}`);
  return true;
}

async function database(identity: number): Promise<boolean> {
  const answer = await ledger.atomic(request("database", identity), async (tx) => {
    await tx.query("insert into booking (identity, process) values (?, ?)", [identity, process_]);
    return { value: null, outcome: `by ${process_}`, refused: false };
  });
  return answer.is === "ran";
}

async function race(): Promise<Raced> {
  const sum = { external: 0, database: 0 };
  const identities = Array.from({ length: Number(count) }, (_, identity) => identity);
  // a few at a time, so that the process races itself too
  for (let from = 0; from < identities.length; from += 8) {
    await Promise.all(
      identities.slice(from, from + 8).flatMap((identity) => [
        external(identity).then((ran) => {
          if (ran) sum.external += 1;
        }),
        database(identity).then((ran) => {
          if (ran) sum.database += 1;
        }),
      ]),
    );
  }
  const told: Record<string, string> = {};
  for (const mode of ["external", "database"]) {
    for (const identity of identities) {
      const known = await ledger.claim(request(mode, identity));
      // another process may still be between its claim and its completion
      told[`${mode} ${identity}`] = known.is === "done" ? known.outcome : known.is;
    }
  }
  return { ...sum, told };
}

// the listener keeps the process alive while it waits for a lock: the ledger's timers do not
process.on("message", () => {
  void race().then(async (raced) => {
    await ledger.close();
    await pool?.end();
    process.send?.(raced, undefined, undefined, () => process.disconnect());
  });
});
await ledger.open();
process.send?.("ready");
