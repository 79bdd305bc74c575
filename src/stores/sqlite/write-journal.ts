import type {
  Appended,
  AppendRequest,
  ClaimedWrite,
  ClaimWrites,
  DeadWriteRecord,
  PendingWrite,
  WriteClaim,
  WriteEnd,
  WriteJournal,
  WriteStanding,
} from "../../contract/write-journal.ts";
import type { Connection } from "./driver.ts";
import type { SqliteFile } from "./file.ts";
import { rowsOf } from "./records.ts";

export function sqliteWriteJournal(file: SqliteFile): WriteJournal {
  return {
    append: (request) => file.write("append writes", (connection, now) => append(connection, now, request)),
    pending: (queue, key) =>
      file.read("pending write", (connection) => {
        const [row] = rowsOf<PendingWrite>(
          connection.all("select value, version from reprise_write where queue = ? and key = ? and state = 'p'", [
            queue,
            key,
          ]),
        );
        return row === undefined ? null : { value: row.value, version: row.version };
      }),
    claim: (request) => file.write("claim writes", (connection, now) => claim(connection, now, request)),
    renew: ({ queue, attempt }, leaseMs) =>
      file.write("renew writes", (connection, now) =>
        connection.run("update reprise_write set lease_until = ? where attempt = ? and queue = ?", [
          now + leaseMs,
          attempt,
          queue,
        ]),
      ),
    settle: (owner, ends) =>
      file.write("settle writes", (connection, now) =>
        ends.reduce((ended, end) => ended + settle(connection, now, owner, end), 0),
      ),
    standing: (queue) => file.read("standing of writes", (connection, now) => standing(connection, now, queue)),
    dead: (queue, limit) =>
      file.read("dead writes", (connection) =>
        rowsOf<DeadWriteRecord>(
          connection.all(
            `select key, scope, version, attempts, dead_at as at, error from reprise_write
             where queue = ? and state = 'd' order by dead_at, version limit ?`,
            [queue, limit],
          ),
        ).map(({ key, scope, version, attempts, at, error }) => ({ key, scope, version, attempts, at, error })),
      ),
    requeue: (queue, version) =>
      file.write("requeue write", (connection) => {
        const changed = connection.run(
          `update reprise_write set state = 'p', place = version, attempts = 0, failures = 0, not_before = null,
             failed_at = null, dead_at = null, error = null
           where queue = ? and state = 'd' and version = ?`,
          [queue, version],
        );
        return changed === 1;
      }),
    discard: (queue, version) =>
      file.write("discard write", (connection) => {
        const changed = connection.run("delete from reprise_write where queue = ? and state = 'd' and version = ?", [
          queue,
          version,
        ]);
        return changed === 1;
      }),
    sweep: (queue, keptMs, limit) =>
      file.write("sweep writes", (connection, now) =>
        connection.run(
          `delete from reprise_write where rowid in (select rowid from reprise_write
             where queue = ? and state = 'd' and dead_at <= ? limit ?)`,
          [queue, now - keptMs, limit],
        ),
      ),
  };
}

/** One row a key: a newer write takes the older one's place in the order, and its claim stays. */
function append(connection: Connection, now: number, { queue, writes, most }: AppendRequest): Appended {
  let pending = countPending(connection, queue);
  const before = lastVersion(connection);
  let last = Math.max(before, now * 1_000);
  const versions = writes.map(({ key, scope, value }) => {
    const [former] = connection.all("select state from reprise_write where queue = ? and key = ?", [queue, key]);
    const isPending = former?.["state"] === "p";
    if (!isPending && pending >= most) return null;
    last += 1;
    if (isPending) {
      connection.run(
        `update reprise_write set scope = ?, value = ?, version = ?, attempts = 0, failed_at = null, error = null
         where queue = ? and key = ?`,
        [scope, value, last, queue, key],
      );
      return last;
    }
    if (former !== undefined) connection.run("delete from reprise_write where queue = ? and key = ?", [queue, key]);
    connection.run(
      "insert into reprise_write (queue, key, scope, value, version, place, state) values (?, ?, ?, ?, ?, ?, 'p')",
      [queue, key, scope, value, last, last],
    );
    pending += 1;
    return last;
  });
  // kept apart from the rows, which leave: a version must not return when the clock is set back
  connection.run(
    "insert into reprise_meta (name, value) values ('writes', ?) on conflict do update set value = excluded.value",
    [String(last)],
  );
  return { versions, pending };
}

function lastVersion(connection: Connection): number {
  const [row] = connection.all("select value from reprise_meta where name = 'writes'", []);
  return row === undefined ? 0 : Number(row["value"]);
}

function countPending(connection: Connection, queue: string): number {
  const [row] = connection.all("select count(*) as pending from reprise_write where queue = ? and state = 'p'", [
    queue,
  ]);
  return Number(row?.["pending"]);
}

interface WriteRow {
  readonly key: string;
  readonly scope: string;
  readonly value: string;
  readonly version: number;
  readonly claimed: number;
  readonly attempts: number;
  readonly failures: number;
  readonly failed_at: number | null;
}

function claim(
  connection: Connection,
  now: number,
  { queue, attempt, leaseMs, limit }: ClaimWrites,
): readonly ClaimedWrite[] {
  const taken = connection.run(
    `update reprise_write set attempt = ?, lease_until = ?, claimed = version where rowid in (
       select rowid from reprise_write where queue = ? and state = 'p'
         and coalesce(lease_until, 0) <= ? and coalesce(not_before, 0) <= ? order by place limit ?)`,
    [attempt, now + leaseMs, queue, now, now, limit],
  );
  if (taken === 0) return [];
  return rowsOf<WriteRow>(
    connection.all("select * from reprise_write where attempt = ? and queue = ? order by place", [attempt, queue]),
  ).map(({ key, scope, value, version, attempts, failures, failed_at }) => {
    return { key, scope, value, version, attempts, failures, failingMs: failed_at === null ? 0 : now - failed_at };
  });
}

const held = "queue = ? and key = ? and attempt = ?";
const unclaimed = "attempt = null, lease_until = null, claimed = null";

/** How many rows it ended: none, if the claim does not hold it any more. */
function settle(connection: Connection, now: number, { queue, attempt }: WriteClaim, end: WriteEnd): number {
  const mine = [queue, end.key, attempt];
  switch (end.is) {
    case "released":
      return connection.run(`update reprise_write set ${unclaimed} where ${held}`, mine);
    case "applied": {
      const gone = connection.run(`delete from reprise_write where ${held} and version = claimed`, mine);
      return gone + passToNewer(connection, mine, "failures = 0");
    }
    case "failed": {
      const notBefore = now + end.pauseMs;
      const failed = connection.run(
        `update reprise_write set ${unclaimed}, failures = failures + 1, not_before = ?, attempts = attempts + ?,
           failed_at = coalesce(failed_at, ?), error = ? where ${held} and version = claimed`,
        [notBefore, end.counts ? 1 : 0, now, end.error, ...mine],
      );
      if (failed === 1) return 1;
      return connection.run(
        `update reprise_write set ${unclaimed}, failures = failures + 1, not_before = ? where ${held}`,
        [notBefore, ...mine],
      );
    }
    case "dead": {
      const died = connection.run(
        `update reprise_write set ${unclaimed}, state = 'd', attempts = attempts + 1, error = ?, dead_at = ?
         where ${held} and version = claimed`,
        [end.error, now, ...mine],
      );
      return died + passToNewer(connection, mine, "failures = 0, not_before = null");
    }
  }
}

/** What was journalled after the claimed version has been waiting only since then. */
function passToNewer(connection: Connection, mine: readonly string[], reset: string): number {
  return connection.run(`update reprise_write set ${unclaimed}, place = version, ${reset} where ${held}`, mine);
}

function standing(connection: Connection, now: number, queue: string): WriteStanding {
  const [row] = rowsOf<{
    readonly pending: number;
    readonly oldest: number | null;
    readonly newest: number | null;
    readonly due: number | null;
  }>(
    connection.all(
      `select count(*) as pending, min(place) as oldest, max(version) as newest,
         min(max(coalesce(lease_until, 0), coalesce(not_before, 0))) as due
       from reprise_write where queue = ? and state = 'p'`,
      [queue],
    ),
  );
  const [dead] = connection.all("select count(*) as dead from reprise_write where queue = ? and state = 'd'", [queue]);
  return {
    pending: row?.pending ?? 0,
    dead: Number(dead?.["dead"]),
    oldest: row?.oldest ?? null,
    newest: row?.newest ?? null,
    dueInMs: typeof row?.due === "number" ? row.due - now : null,
  };
}
