import type { RunSummary } from "../../../src/contract/ledger.ts";
import { declareOperations } from "./declared.ts";
import { type Gateway, startGateway } from "./gateway.ts";
import type { Place, PlaceKind } from "./places.ts";
import type { Task, Told } from "./worker.ts";
import { buildWorkers, type Worker, type Workers } from "./workers.ts";

/** One ledger, the other side, and processes: this one, which looks on and asks too, and those that it starts. */
export interface Stand {
  readonly place: Place;
  readonly gateway: Gateway;
  readonly start: (options?: StartOptions) => Promise<Worker>;
  /** What this process is told. */
  readonly ask: (execute: Task["execute"]) => Promise<Told>;
  /** What `told` tells in the end, asked again while the work runs: a server takes a moment to see that a process is gone. */
  readonly untilKnown: (told: () => Promise<Told>) => Promise<Told>;
  /** The records that are kept of one piece of work. */
  readonly records: (id: string) => Promise<readonly RunSummary[]>;
  /** Makes the store judge as if so much time had passed, for these processes too. */
  readonly passTime: (ms: number, ...workers: readonly Worker[]) => Promise<void>;
  readonly close: () => Promise<void>;
}

interface StartOptions {
  readonly lease?: "2s" | "30s";
  /** Where messages can be lost, if there is such a place. */
  readonly behindNetwork?: boolean;
}

export async function openStand(kind: PlaceKind): Promise<Stand> {
  const workers: Workers = await buildWorkers();
  const [place, gateway] = await Promise.all([kind.open(), startGateway()]);
  const { store } = place;
  const own = declareOperations(store, store.ledger, { gateway: gateway.url, lease: "30s" });
  return {
    place,
    gateway,
    start: async ({ lease = "30s", behindNetwork = false } = {}) => {
      const { settings } = (behindNetwork ? place.network : null) ?? place;
      const worker = await workers.start({ store: settings, gateway: gateway.url, lease });
      worker.shift(place.shiftMs());
      return worker;
    },
    ask: async (execute) => {
      const outcome = await ("order" in execute ? own.order.execute(execute.order) : own.note.execute(execute.note));
      return outcome.status === "done"
        ? { status: "done", replayed: outcome.replayed, value: outcome.value }
        : { status: outcome.status };
    },
    untilKnown: async (told) => {
      for (const deadline = performance.now() + 20_000; ; ) {
        const answer = await told();
        if (answer.status !== "running" || performance.now() > deadline) return answer;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    },
    records: async (id) => (await store.ledger.recent({ limit: 1_000 })).filter((run) => run.identity === id),
    passTime: async (ms, ...others) => {
      await place.passTime(ms);
      for (const worker of others) worker.shift(place.shiftMs());
    },
    close: async () => {
      await workers.stop();
      await own.close();
      await gateway.close();
      await place.close();
    },
  };
}
