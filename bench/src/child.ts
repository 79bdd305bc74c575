import { serveChurn } from "./churn.ts";
import { serveFunction } from "./functions/racer.ts";
import { serveHits } from "./hit-loop.ts";
import { serveJob } from "./jobs/parts.ts";
import { serveMemory } from "./memory.ts";
import { serveMessages } from "./messages/group.ts";
import { serveRival } from "./operations/http-rivals.ts";
import { serveHttp } from "./operations/http-server.ts";
import { servePart } from "./operations/parts.ts";
import { serveTraps } from "./traps.ts";

/** The processes that `child-process.ts` opens: a task gets ready, then answers questions until it is ended. */

export type Answer = (question: unknown) => Promise<unknown>;

const tasks: Readonly<Record<string, (...input: readonly string[]) => Promise<Answer>>> = {
  hits: serveHits,
  memory: serveMemory,
  churn: serveChurn,
  traps: serveTraps,
  operations: servePart,
  jobs: serveJob,
  messages: serveMessages,
  functions: (store = "", place = "", effects = "", workMs = "", takes = "") =>
    serveFunction(store, place, effects, workMs, takes),
  http: serveHttp,
  rival: serveRival,
};

const [name = "", ...input] = process.argv.slice(2);
const task = tasks[name];
if (task === undefined) throw new Error(`no such task: ${name}`);
const answer = await task(...input);
process.on("message", (message: { readonly question: unknown }) => {
  answer(message.question).then(
    (given) => process.send?.({ answer: given }),
    (error: unknown) => process.send?.({ failed: String(error) }),
  );
});
// a child whose parent is gone has nobody to answer
process.on("disconnect", () => process.exit());
process.send?.({ answer: "ready" });
