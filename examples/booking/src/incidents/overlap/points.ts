/** Where the worker's process is killed, `step: detail`, in the order of one customer. */
const shared = ["ask: before the request", "ask: while the price API works", "answer: come, not kept"] as const;

export const pointsWithout = [
  ...shared,
  "blob: written, the customer not marked",
  "mark: written, the next not begun",
] as const;

export const pointsWith = [
  "claim: taken, nothing asked",
  ...shared,
  "answer: kept, no blob",
  "blob: written, the customer not marked",
  "mark: inside its transaction",
  "mark: written, the end not recorded",
  "end: recorded, the next not begun",
] as const;

export type Point = (typeof pointsWithout)[number] | (typeof pointsWith)[number];
