import type { BlobStore } from "reprise";
import type { sqliteLedger } from "reprise/sqlite";
import type { Prices } from "../../prices/client.ts";
import type { KillSwitch } from "../kill-switch.ts";
import type { Point } from "./points.ts";

type SqliteLedger = ReturnType<typeof sqliteLedger>;

export function killingPrices(prices: Prices, kill: KillSwitch<Point>, worksMs: number): Prices {
  return {
    ...prices,
    ask: async (request, key, signal) => {
      kill.at("ask: before the request");
      // billed, and not answered yet
      const timer = setTimeout(() => kill.at("ask: while the price API works"), worksMs / 2);
      const price = await prices.ask(request, key, signal).finally(() => clearTimeout(timer));
      kill.at("answer: come, not kept");
      return price;
    },
  };
}

export function killingBlobs(blobs: BlobStore, kill: KillSwitch<Point>): BlobStore {
  return {
    ...blobs,
    putIfAbsent: async (name, bytes, signal) => {
      const put = await blobs.putIfAbsent(name, bytes, signal);
      kill.at("blob: written, the customer not marked");
      return put;
    },
  };
}

/** The worker's ledger, with a kill switch around each step of a customer; the steps of the tick itself are not its points. */
export function killingLedger(ledger: SqliteLedger, operation: string, kill: KillSwitch<Point>): SqliteLedger {
  const own = new Set<string>();
  return {
    ...ledger,
    claim: async (request) => {
      const claim = await ledger.claim(request);
      if (claim.is === "won" && request.about.operation === operation) {
        own.add(request.attempt);
        kill.at("claim: taken, nothing asked");
      }
      return claim;
    },
    pin: async (fence, effect, answer) => {
      const pinned = await ledger.pin(fence, effect, answer);
      if (effect === "price") kill.at("answer: kept, no blob");
      return pinned;
    },
    transact: async (fence, name, work) => {
      const result = await ledger.transact(fence, name, async (tx) => {
        const answer = await work(tx);
        kill.at("mark: inside its transaction");
        return answer;
      });
      kill.at("mark: written, the end not recorded");
      return result;
    },
    complete: async (fence, completion) => {
      const completed = await ledger.complete(fence, completion);
      if (own.delete(fence.attempt)) kill.at("end: recorded, the next not begun");
      return completed;
    },
  };
}
