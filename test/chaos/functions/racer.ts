import { AsyncLocalStorage } from "node:async_hooks";
import { appendFileSync } from "node:fs";
import type { Ledger } from "../../../src/contract/ledger.ts";
import { createReprise, unchecked } from "../../../src/index.ts";
import { lambda } from "../../../src/transports/functions/aws.ts";
import { type StoreName, stores } from "./stores.ts";

/** A process that a platform would run a function in: it is called so many times at once, and tells what each call came to. */

export interface Race {
  readonly store: StoreName;
  readonly place: string;
  /** A file that each effect writes a line to. */
  readonly effects: string;
  readonly workMs: number;
  readonly calls: number;
  /** Until the platform ends the calls. */
  readonly leftMs: number;
  /** It comes to its work, and goes on when it is told to. */
  readonly hangs: boolean;
}

export interface Called {
  readonly status: number;
  readonly body: string;
  readonly replayed: boolean;
  /** By the machine's clock, which all processes share. */
  readonly endedAt: number;
  /** How often the call asked the store for the work. */
  readonly reads: number;
}

export type Told =
  | { readonly is: "ready" }
  /** A run has begun. */
  | { readonly is: "at-work" }
  /** The ledger has refused a write. */
  | { readonly is: "refused" }
  | { readonly is: "called"; readonly called: readonly Called[] };

export type Order = "call" | "go on";

const race = JSON.parse(process.argv[2] ?? "") as Race;
const tell = (told: Told) => process.send?.(told);
const { ledger, close } = await stores[race.store](race.place);
const asking = new AsyncLocalStorage<{ reads: number }>();
const goingOn = new Promise<void>((resolve) => {
  process.on("message", (order: Order) => {
    if (order === "go on") resolve();
  });
});

function counted(given: Ledger<unknown>): Ledger<unknown> {
  const read = <A extends readonly unknown[], R>(method: (...given: A) => R) => {
    return (...asked: A): R => {
      const call = asking.getStore();
      if (call !== undefined) call.reads += 1;
      return method(...asked);
    };
  };
  const refused = async <R>(answer: Promise<R>): Promise<R> => {
    if ((await answer) === "fenced") tell({ is: "refused" });
    return answer;
  };
  return {
    ...given,
    claim: read(given.claim),
    find: read(given.find),
    complete: (fence, completion) => refused(given.complete(fence, completion)),
    release: (fence, release) => refused(given.release(fence, release)),
  };
}

const reprise = createReprise({
  service: "badges",
  undecided: "listed",
  background: "elsewhere",
  ledger: counted(ledger),
});
const render = reprise.operation({
  name: "badge.render",
  input: unchecked<{ readonly person: string }>(),
  ifRunsAgain: "replays",
  costIfTwice: "trust",
  principal: "everyone",
  identity: ({ person }) => [person],
  retention: "1d",
  effects: "external",
  run: async ({ input, effect }) => {
    tell({ is: "at-work" });
    if (race.hangs) await goingOn;
    return effect("print", {
      ifUnknown: "retry",
      run: async () => {
        appendFileSync(race.effects, `${input.person} ${process.pid}\n`);
        await new Promise((resolve) => setTimeout(resolve, race.workMs));
        return { printed: process.pid };
      },
    });
  },
});
const handler = lambda.http(render, {
  principal: "everyone",
  key: { header: "optional" },
  wait: "60s",
  input: ({ request }) => request.json() as Promise<{ readonly person: string }>,
});

async function call(): Promise<Called> {
  const counter = { reads: 0 };
  const event = { body: JSON.stringify({ person: "ada" }), rawPath: "/", requestContext: { http: { method: "POST" } } };
  const answer = await asking.run(counter, () => handler(event, { getRemainingTimeInMillis: () => race.leftMs }));
  return {
    status: answer.statusCode,
    body: answer.body,
    replayed: answer.headers["idempotency-replayed"] === "true",
    endedAt: Date.now(),
    reads: counter.reads,
  };
}

process.on("message", (order: Order) => {
  if (order !== "call") return;
  void Promise.all(Array.from({ length: race.calls }, call)).then((called) => tell({ is: "called", called }));
});
process.on(
  "disconnect",
  () =>
    void reprise
      .close()
      .then(close)
      .then(() => process.exit()),
);
await reprise.start();
tell({ is: "ready" });
