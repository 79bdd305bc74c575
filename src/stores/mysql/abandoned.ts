import type { WorkId } from "../../base/names.ts";
import type { AbandonedQuery, AbandonedWork, ParkAbandonedQuery } from "../../contract/ledger.ts";
import type { Database } from "./database.ts";
import type { Connection } from "./driver.ts";
import { whereWork } from "./effects.ts";
import { deleteWork, parkWork } from "./endings.ts";
import { bytes, clock, hexOf, id16, micros, type Row, textOf, type Work, workColumns, workOf } from "./records.ts";

const due = `(state = 'o' and coalesce(not_before, 0) <= ${clock} or state = 'r' and lease_until <= ${clock})`;
const idle = `greatest(coalesce(lease_until, 0), coalesce(not_before, 0)) <= ${clock} - ?`;

/** Of each state by the index that has its order, so that of many that wait no more are read than are told. */
export async function abandonedWork(connection: Connection, query: AbandonedQuery): Promise<readonly AbandonedWork[]> {
  const { operations, idleMs, limit, id } = query;
  if (operations.length === 0) return [];
  const columns = "id, name, operation, input, token, resumes, created_at";
  const asked = `input is not null and operation in (${operations.map(() => "?").join(", ")}) and ${idle}`;
  const params = [...operations.map(bytes), micros(idleMs)];
  const order = "order by created_at, name limit ?";
  const ofState = (state: "o" | "r") => `(select ${columns} from reprise_work force index (reprise_work_state)
    where state = '${state}' and ${asked} ${order})`;
  const { rows } =
    id === undefined
      ? await connection.query(`${ofState("o")} union all ${ofState("r")} ${order}`, [
          ...[...params, limit],
          ...[...params, limit],
          limit,
        ])
      : await connection.query(
          `select ${columns} from reprise_work where id = ? and state in ('o', 'r') and ${asked}`,
          [id16(id), ...params],
        );
  return rows.map((row: Row) => ({
    id: hexOf(row["id"]) as WorkId,
    name: hexOf(row["name"]) as Work["name"],
    operation: textOf(row["operation"]),
    input: textOf(row["input"]),
    token: Number(row["token"]),
    resumes: Number(row["resumes"]),
  }));
}

export async function parkStalledWork(
  connection: Connection,
  { id, token }: Pick<AbandonedWork, "id" | "token">,
  why: string,
): Promise<boolean> {
  const work = await lockDue(connection, id);
  return work !== undefined && work.token === token && parkWork(connection, work, "(resume)", why);
}

/** Each piece of work in a transaction of its own: one that is held up holds up none. */
export async function parkAbandonedWork(database: Database, query: ParkAbandonedQuery): Promise<number> {
  const { rows } = await database.one(
    "parkAbandoned",
    `select w.id, min(e.name) as started from reprise_work w force index (reprise_work_state)
     join reprise_effect e on e.id = w.id and e.state = 's'
     where w.state in ('o', 'r') and w.operation = ?
       and greatest(coalesce(w.lease_until, 0), coalesce(w.not_before, 0)) <= ${clock} - ? group by w.id`,
    [bytes(query.operation), micros(query.afterMs)],
  );
  let parked = 0;
  for (const row of rows) {
    const id = hexOf(row["id"]) as WorkId;
    const started = textOf(row["started"]);
    const done = await database.write("parkAbandoned", async (connection) => {
      const work = await lockDue(connection, id);
      if (work === undefined || Math.max(work.leaseUntil, work.notBefore) > work.now - micros(query.afterMs))
        return false;
      const { rows: open } = await connection.query(
        "select 1 as open from reprise_effect where id = ? and name = ? and state = 's'",
        [id16(id), bytes(started)],
      );
      return open.length === 1 && parkWork(connection, work, started, "abandoned");
    });
    if (done) parked += 1;
  }
  return parked;
}

/** Locks the row of work that nobody is at. `undefined`: somebody is, or has it locked. */
async function lockDue(connection: Connection, id: WorkId): Promise<Work | undefined> {
  const where = await whereWork(connection, id);
  if (where === undefined) return undefined;
  const { rows } = await connection.query(
    `select ${workColumns} from reprise_work where name = ? and id = ? and ${due} for update skip locked`,
    where,
  );
  return rows.map(workOf)[0];
}

export async function sweepWork(connection: Connection, limit: number): Promise<number> {
  const { rows } = await connection.query(
    `select ${workColumns} from reprise_work w force index (reprise_work_keep)
     where keep_until <= ${clock} and state = 'd' and (parent is null
       or not exists (select 1 from reprise_work p where p.name = w.parent and p.state <> 'd'))
     order by keep_until limit ? for update skip locked`,
    [limit],
  );
  const expired = rows.map(workOf);
  await deleteWork(connection, expired);
  return expired.length;
}
