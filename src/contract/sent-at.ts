/** When a message was sent first, where the broker would tell when it was sent last: in milliseconds since the epoch. */
export const sentAtName = "x-reprise-sent-at";

/** `null`: it is no instant. */
export function instantIn(text: unknown): number | null {
  const at = typeof text === "string" && text !== "" ? Number(text) : text;
  return typeof at === "number" && Number.isFinite(at) && at > 0 ? at : null;
}
