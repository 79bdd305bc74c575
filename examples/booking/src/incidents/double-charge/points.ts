/** Where the platform's process is killed: `step: detail`, in the order of one booking. */
export const points = [
  "claim: before it",
  "claim: taken, nothing done",
  "transaction: inside the one that puts the seat aside",
  "transaction: after the one that puts the seat aside",
  "start: the charge is not recorded as begun",
  "start: the charge is recorded as begun, nothing sent",
  "send: before the request",
  "send: while the gateway works",
  "answer: come, not pinned",
  "pin: answer pinned, process killed after",
  "transaction: before the booking's",
  "transaction: inside the booking's",
  "transaction: after the booking's",
  "completion: before it",
  "completion: recorded, nobody told",
] as const;
export type Point = (typeof points)[number];
