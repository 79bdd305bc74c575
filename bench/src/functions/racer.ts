import { AsyncLocalStorage } from "node:async_hooks";
import { appendFileSync } from "node:fs";
import { createReprise, type Duration, type Ledger, unchecked } from "reprise";
import { lambda } from "reprise/lambda";
import type { Answer } from "../child.ts";
import { stores } from "./stores.ts";

/** A process that a platform would run a function in. */

export interface Asked {
  /** The work: the same for all that race for it. */
  readonly identity: string;
  readonly calls: number;
  /** When all begin, by the machine's clock. */
  readonly at: number;
}

export interface Called {
  readonly body: string;
  readonly replayed: boolean;
  readonly endedAt: number;
  readonly reads: number;
}

const asking = new AsyncLocalStorage<{ reads: number }>();

/** Counts, for each call, how often it asks the store for the work. */
function counted(ledger: Ledger<unknown>): Ledger<unknown> {
  const count = () => {
    const call = asking.getStore();
    if (call !== undefined) call.reads += 1;
  };
  return {
    ...ledger,
    claim: (request) => {
      count();
      return ledger.claim(request);
    },
    find: (request) => {
      count();
      return ledger.find(request);
    },
  };
}

/** @param takes what the function says of its work's time; empty: nothing */
export async function serveFunction(
  store: string,
  place: string,
  effects: string,
  workMs: string,
  takes: string,
): Promise<Answer> {
  const opened = await stores[store]?.open(place);
  if (opened === undefined) throw new Error(`no such store: ${store}`);
  const background = "elsewhere" as const;
  const reprise = createReprise({ service: "badges", undecided: "listed", background, ledger: counted(opened) });
  const render = reprise.operation({
    name: "badge.render",
    input: unchecked<{ readonly person: string }>(),
    ifRunsAgain: "replays",
    costIfTwice: "trust",
    principal: "everyone",
    identity: ({ person }) => [person],
    retention: "1d",
    effects: "external",
    run: ({ input, effect }) =>
      effect("print", {
        ifUnknown: "retry",
        run: async () => {
          appendFileSync(effects, `${input.person}\n`);
          await new Promise((resolve) => setTimeout(resolve, Number(workMs)));
          return { printedBy: process.pid };
        },
      }),
  });
  const handler = lambda.http(render, {
    principal: "everyone",
    key: { header: "optional" },
    takes: takes === "" ? undefined : (takes as Duration),
    input: ({ request }) => request.json() as Promise<{ readonly person: string }>,
  });
  const call = async (identity: string): Promise<Called> => {
    const counter = { reads: 0 };
    const body = JSON.stringify({ person: identity });
    const event = { body, rawPath: "/", requestContext: { http: { method: "POST" } } };
    const answer = await asking.run(counter, () => handler(event, { getRemainingTimeInMillis: () => 60_000 }));
    const replayed = answer.headers["idempotency-replayed"] === "true";
    return { body: answer.body, replayed, endedAt: Date.now(), ...counter };
  };
  await reprise.start();
  return async (question) => {
    const { identity, calls, at } = question as Asked;
    await new Promise((resolve) => setTimeout(resolve, at - Date.now()));
    return Promise.all(Array.from({ length: calls }, () => call(identity)));
  };
}
