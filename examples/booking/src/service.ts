import { createReprise } from "reprise";
import type { sqliteLedger } from "reprise/sqlite";
import { config } from "./config.ts";

export type Service = ReturnType<typeof declareService>;

/** What everything is declared on: the service, its owner, what a request is for, memory, and where outcomes are kept. */
export function declareService(ledger: ReturnType<typeof sqliteLedger>) {
  return createReprise({
    service: "booking",
    owner: "booking-team",
    dimensions: { user: "personal", locale: "shared" },
    memory: { maxBytes: config.memory, eviction: "lfu" },
    // of the pool's connections some stay free for bookings, whatever is read
    sources: { database: { loadsAtOnce: config.connections - 2 } },
    ledger,
  });
}
