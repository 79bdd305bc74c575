import type { WorkId } from "../../base/names.ts";
import type { Acceptance, AcceptRequest, Standing } from "../../contract/ledger.ts";
import { lockNumbers, meet, namesUnheld } from "./claim.ts";
import { insertParams, insertWork } from "./insert.ts";
import { acceptedAs } from "./look.ts";
import {
  epochMs,
  isCancelled,
  numberOf,
  numberOrNull,
  progressColumns,
  progressOf,
  textOf,
  textOrNull,
} from "./rows.ts";
import type { PostgresServer } from "./server.ts";

const insertOpen = insertWork("o", `returning ${epochMs("created_at")} as created`, namesUnheld);

export async function acceptWork(server: PostgresServer, request: AcceptRequest): Promise<Acceptance> {
  const { id, input } = request;
  for (;;) {
    const params = insertParams(request, id, null, 0, input);
    const [row] = (await server.once("accept", insertOpen, ...params, ...lockNumbers(request))).rows;
    if (row !== undefined) return { is: "accepted", id, since: numberOf(row["created"]), isNew: true };
    const met = await meet(server, "accept", request);
    if (met.is === "free") continue;
    return met.is === "found" ? acceptedAs(met.work, request) : met;
  }
}

/** By the id alone: that of database work is its name, which others could work out. */
const standing = `select operation, state, outcome, effect, ${epochMs("created_at")} as created,
    ${epochMs("ended_at")} as ended, ${progressColumns} from @work where id = $1::uuid`;

export async function standingOf(server: PostgresServer, id: WorkId): Promise<Standing | null> {
  const [row] = (await server.once("standing", standing, id)).rows;
  if (row === undefined) return null;
  const operation = textOf(row["operation"]);
  const created = numberOf(row["created"]);
  const since = numberOrNull(row["ended"]) ?? created;
  switch (textOf(row["state"])) {
    case "d":
      return { operation, is: "done", outcome: textOrNull(row["outcome"]) ?? "", at: since };
    case "u":
      return { operation, is: "unknown", effect: textOrNull(row["effect"]) ?? "", since };
    default: {
      const running = textOf(row["state"]) === "r";
      return {
        operation,
        is: "going",
        since: created,
        running,
        cancelled: isCancelled(row),
        progress: progressOf(row),
      };
    }
  }
}
