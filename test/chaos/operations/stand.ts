import type { RunSummary } from "../../../src/contract/ledger.ts";
import { type TcpProxy, tcpProxy } from "../../support/tcp-proxy.ts";
import { declareOperations, type Execute, type Told } from "./declared.ts";
import { type Gateway, startGateway } from "./gateway.ts";
import type { Place, PlaceKind } from "./places.ts";
import type { StoreSettings } from "./store.ts";
import type { Worker, Workers } from "./workers.ts";

/** One ledger, the other side, and processes: this one, which looks on and asks too, and those that it starts. */
export interface Stand {
  readonly place: Place;
  readonly gateway: Gateway;
  readonly start: (lease?: "3s" | "30s") => Promise<Worker>;
  /** One that has a proxy between itself and its ledger, where the ledger is not in its own process. */
  readonly startProxied: () => Promise<ProxiedWorker>;
  /** What this process is told. */
  readonly ask: (execute: Execute) => Promise<Told>;
  /** What `told` tells in the end, asked again while the work runs: a server takes a moment to see that a process is gone. */
  readonly untilKnown: (told: () => Promise<Told>) => Promise<Told>;
  /** The records that are kept of one piece of work. */
  readonly records: (id: string) => Promise<readonly RunSummary[]>;
  /** Makes the store judge as if so much time had passed, for these processes too. */
  readonly passTime: (ms: number, ...workers: readonly Worker[]) => Promise<void>;
  readonly close: () => Promise<void>;
}

export interface ProxiedWorker extends Worker {
  readonly proxy: TcpProxy | null;
}

export async function openStand(kind: PlaceKind, workers: Workers): Promise<Stand> {
  const [place, gateway] = await Promise.all([kind.open(), startGateway()]);
  const { store } = place;
  const own = declareOperations(store, store.ledger, { gateway: gateway.url, lease: "30s" });
  const proxies: TcpProxy[] = [];
  const started: Worker[] = [];
  const start = async (settings: StoreSettings, lease: "3s" | "30s") => {
    const worker = await workers.start({ store: settings, gateway: gateway.url, lease });
    started.push(worker);
    worker.shift(place.shiftMs());
    return worker;
  };
  return {
    place,
    gateway,
    start: (lease = "30s") => start(place.settings, lease),
    startProxied: async () => {
      if (place.network === null) return { ...(await start(place.settings, "30s")), proxy: null };
      const { server, through } = place.network;
      const proxy = await tcpProxy(server);
      proxies.push(proxy);
      return { ...(await start(through(proxy.port), "30s")), proxy };
    },
    ask: own.execute,
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
      for (const worker of started) worker.signal("SIGKILL");
      await Promise.all(started.map(({ ended }) => ended));
      for (const proxy of proxies) await proxy.close();
      await own.close();
      await gateway.close();
      await place.close();
    },
  };
}
