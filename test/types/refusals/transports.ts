/** Carriers that the compiler refuses; `declared.ts` tells how to read this file. */
import { fastifyHandler } from "../../../src/transports/http/fastify.ts";
import { webHandler } from "../../../src/transports/http/web.ts";
import { cancel } from "./declared.ts";

// refused at `request.body`: Type 'unknown' is not assignable to type
fastifyHandler(cancel, { input: (request) => request.body, principal: "everyone" });
// refused at `{ input`: Property 'principal' is missing
webHandler(cancel, { input: () => ({ user: "u", reference: "r" }) });
webHandler(cancel, {
  input: () => ({ user: "u", reference: "r" }),
  principal: "everyone",
  // refused at `reply`: "set-cookie"
  reply: () => ({ headers: { "set-cookie": "session=1" } }),
});
webHandler(cancel, {
  input: () => ({ user: "u", reference: "r" }),
  principal: "everyone",
  // refused at `"sold-out"`: '"sold-out"' does not exist in type
  refused: { "sold-out": () => ({ status: 410 }) },
});
webHandler(cancel, {
  input: () => ({ user: "u", reference: "r" }),
  principal: "everyone",
  // refused at `reply`: Type 'ReadableStream<any>' is not assignable to type 'Repeatable'
  reply: () => ({ body: new ReadableStream() }),
});
webHandler(cancel, {
  input: () => ({ user: "u", reference: "r" }),
  principal: "everyone",
  // refused at `reply`: Type 'Promise<string>' is not assignable to type 'Repeatable'
  reply: () => ({ body: Promise.resolve("a") }),
});
