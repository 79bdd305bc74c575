import { newAttemptId, type WorkId } from "../../base/names.ts";
import type { Intervention, Note } from "../../contract/ledger.ts";
import type { Connection } from "./driver.ts";
import { reopen, reopenIfAnswered } from "./effects.ts";
import { finishWork } from "./endings.ts";
import { noteAttempt } from "./records.ts";

/** Inside the caller's immediate transaction: the state that is looked at is the one that is changed. */
export function intervene(
  connection: Connection,
  now: number,
  id: WorkId,
  intervention: Intervention,
  { who, why }: Note,
): boolean {
  if (intervention.does === "release") {
    const running = "select 1 from reprise_work where id = ? and state = 'r' and token = ?";
    if (connection.all(running, [id, intervention.token]).length === 0) return false;
    noteAttempt(connection, id, "revoked", now, why, who);
    // with another attempt's id nothing that the owner still writes carries the fence
    connection.run(
      "update reprise_work set state = 'o', attempt = ?, not_before = null, lease_until = ? where id = ?",
      [newAttemptId(), now, id],
    );
    return true;
  }
  if (intervention.does === "cancel") {
    // nothing is to be waited for any more
    const changed = connection.run(
      `update reprise_work set cancelled = 1, not_before = null
       where id = ? and state in ('o', 'r') and input is not null and cancelled is null`,
      [id],
    );
    if (changed === 0) return false;
    noteAttempt(connection, id, "cancelled", now, why, who);
    return true;
  }
  if (connection.all("select 1 from reprise_work where id = ? and state = 'u'", [id]).length === 0) return false;
  switch (intervention.does) {
    case "settle":
      noteAttempt(connection, id, "settled", now, why, who);
      finishWork(connection, now, id, intervention, intervention.keepMs);
      return true;
    case "answer": {
      const pin =
        "update reprise_effect set state = 'p', answer = ?, pinned_at = ? where id = ? and name = ? and state = 's'";
      if (connection.run(pin, [intervention.answer, now, id, intervention.effect]) === 0) return false;
      noteAttempt(connection, id, "answered", now, why, who);
      reopenIfAnswered(connection, now, id);
      return true;
    }
    case "forget": {
      const forget = "delete from reprise_effect where id = ? and name = ? and state = 's'";
      if (connection.run(forget, [id, intervention.effect]) === 0) return false;
      noteAttempt(connection, id, "forgotten", now, why, who);
      reopenIfAnswered(connection, now, id);
      return true;
    }
    case "reopen":
      noteAttempt(connection, id, "reopened", now, why, who);
      reopen(connection, now, id);
      return true;
  }
}
