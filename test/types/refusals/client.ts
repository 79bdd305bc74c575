/** Requests that the compiler refuses; `declared.ts` tells how to read this file. */
import { createIdempotentFetch, memoryKeys } from "../../../src/client/index.ts";

const request = createIdempotentFetch({ keys: memoryKeys() });
const keyed = createIdempotentFetch();
declare const stream: ReadableStream<Uint8Array>;
const url = "https://pay.example/charges";

void request(url, { method: "POST", intent: "order-4711", body: new Uint8Array([1]) });
void request(url, { method: "DELETE", key: "k1" });
void keyed(url, { method: "PUT", key: "k1", body: "text", accepted: "poll" });

// refused at `{ method`: Property 'intent' is missing
void request(url, { method: "POST", body: "text" });
// refused at `{ intent`: Property 'method' is missing
void request(url, { intent: "order-4711" });
// refused at `method: "GET"`: Type '"GET"' is not assignable to type '"POST" | "PUT" | "PATCH" | "DELETE"'
void request(url, { method: "GET", intent: "order-4711" });
// refused at `body`: is not assignable to type 'ResendableBody
void request(url, { method: "POST", intent: "order-4711", body: stream });
// refused at `body`: Type 'FormData' is not assignable to type 'ResendableBody
void request(url, { method: "POST", intent: "order-4711", body: new FormData() });
// refused at `{ method`: Types of property 'key' are incompatible
void request(url, { method: "POST", intent: "order-4711", key: "k1" });
// refused at `intent`: Type 'string' is not assignable to type 'undefined'
void keyed(url, { method: "POST", intent: "order-4711" });
// refused at `createIdempotentFetch`: No overload matches
createIdempotentFetch({ release: "by-caller" });
