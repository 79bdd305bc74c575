import type { SourceStanding } from "../../contract/source.ts";
import { type StreamClient, send } from "./shapes.ts";

/** A server before version 7 does not know how far a group is behind. */
export async function standingOf(
  client: StreamClient,
  { stream, group, deadLetter }: { readonly stream: string; readonly group: string; readonly deadLetter: string },
): Promise<SourceStanding> {
  const groups = (await send(client, ["XINFO", "GROUPS", stream])) as readonly unknown[];
  const lag = groups
    .map(pairsOf)
    .find((one) => one.get("name") === group)
    ?.get("lag");
  return {
    waiting: typeof lag === "number" ? lag : null,
    setAside: Number(await send(client, ["XLEN", deadLetter])),
  };
}

/** Pairs, or a map, by the version of the protocol that the client speaks. */
function pairsOf(answer: unknown): ReadonlyMap<unknown, unknown> {
  if (answer instanceof Map) return answer;
  if (!Array.isArray(answer)) return new Map(Object.entries(answer as object));
  const pairs = new Map<unknown, unknown>();
  for (let at = 0; at < answer.length; at += 2) pairs.set(answer[at], answer[at + 1]);
  return pairs;
}
