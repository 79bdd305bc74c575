/**
 * A `fetch` that may be repeated, also after a restart. It needs the web's own `fetch`, `Request` and `crypto`, so it runs in
 * Node and in a browser (in a secure context).
 *
 * @module
 */
export {
  createIdempotentFetch,
  type FetchOptions,
  type IdempotentFetch,
  type IntendedInit,
  type KeepingFetchOptions,
  type KeyedFetch,
  type KeyedInit,
} from "./fetch.ts";
export { type IdempotencyKeys, type KeptKey, memoryKeys } from "./keys.ts";
export type { ResendableBody } from "./work.ts";
