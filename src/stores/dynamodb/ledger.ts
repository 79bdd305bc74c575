import { type Clock, systemClock } from "../../base/clock.ts";
import { defaults } from "../../base/defaults.ts";
import { type Duration, milliseconds } from "../../base/duration.ts";
import { RepriseError } from "../../base/errors.ts";
import type { Ledger } from "../../contract/ledger.ts";
import { createItemLedger } from "../items/ledger.ts";
import { type DynamoClient, dynamoItems } from "./table.ts";

export interface DynamoLedgerOptions {
  /** A `DynamoDB` of `@aws-sdk/client-dynamodb`: the client whose methods are the service's operations. */
  readonly client: DynamoClient;
  /**
   * The table's name. It is created, billed by the request, if there is none and the client may; that takes the service some
   * seconds, in which the ledger may be away. Its keys, both strings: `p` (hash), `r` (range). Default: `"reprise"`.
   */
  readonly table?: string | undefined;
  /** How long one call of the ledger may take in all, the client's own repetitions included. Default: `"10s"`. */
  readonly deadline?: Duration | undefined;
}

/**
 * A ledger on DynamoDB, for operations with `effects: "external"`: for functions, which share nothing but a store. Each work
 * with its effects is one item, and every step one conditional write, so a paused owner's late write is refused by the
 * service. Claiming new work takes one request, two with a caller's key; completing it takes one; being told what stands
 * takes two. Reads are consistent ones; nothing rests on transactions, indexes or the service's own expiry.
 *
 * Leases are judged by the service's clock, which tells whole seconds: none ends early, and a take-over comes up to three
 * seconds late. What is kept of one work, its input, its effects' answers and its outcome together, is at most about 390 KB
 * (`REPRISE_OUTCOME_TOO_LARGE`). To tell the newest runs it reads the whole table, up to 10,000 works; so does a sweep, a
 * part at a time.
 *
 * The table lies in one region: replicas of a global table take one another's last write, and would let two win.
 *
 * @throws REPRISE_BAD_DURATION, REPRISE_BAD_DECLARATION at once
 * @example
 * const ledger = dynamoLedger({ client: new DynamoDB({ region: "eu-central-1" }), table: "shop-reprise" });
 */
export function dynamoLedger(options: DynamoLedgerOptions): Ledger<never> {
  return createDynamoLedger(options, systemClock);
}

/** `clock`: this process's, for tests alone. */
export function createDynamoLedger(options: DynamoLedgerOptions, clock: Clock): Ledger<never> {
  const { client, table = "reprise", deadline } = options;
  if (typeof client?.getItem !== "function") {
    throw new RepriseError("REPRISE_BAD_DECLARATION", {
      where: "dynamoLedger, client",
      why: "it has no 'getItem', so it is no 'DynamoDB' of @aws-sdk/client-dynamodb: a 'DynamoDBClient' is another class.",
      mend: "Pass new DynamoDB({ … }).",
    });
  }
  const deadlineMs =
    deadline === undefined ? defaults.items.deadlineMs : milliseconds(deadline, "dynamoLedger.deadline");
  return createItemLedger((telling) => dynamoItems(client, table, telling), { deadlineMs, clock });
}
