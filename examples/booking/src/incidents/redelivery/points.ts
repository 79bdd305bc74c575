/** Where a consumer's process is killed, `step: detail`, in the order of one message. */
export const points = [
  "receive: handed out, nothing begun",
  "claim: taken, no mail sent",
  "mail: sent, not written down",
  "record: written down, not acknowledged",
  "acknowledge: sent",
] as const;

export type Point = (typeof points)[number];
