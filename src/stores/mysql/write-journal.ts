import { sha256 } from "../../base/names.ts";
import type {
  Appended,
  AppendRequest,
  ClaimedWrite,
  ClaimWrites,
  WriteClaim,
  WriteEnd,
  WriteJournal,
  WriteStanding,
} from "../../contract/write-journal.ts";
import type { Database } from "./database.ts";
import type { Connection, Own } from "./driver.ts";
import { bytes, clock, id16, instant, micros, numberOrNull, type Row, textOf } from "./records.ts";

export function mysqlWriteJournal(database: Database): WriteJournal {
  return {
    append: (request) => database.write("append writes", (connection) => append(connection, request)),
    pending: async (queue, key) => {
      const { rows } = await database.one(
        "pending write",
        "select value, version from reprise_write where name = ? and state = 'p'",
        [nameOf(queue, key)],
      );
      const [row] = rows;
      return row === undefined ? null : { value: textOf(row["value"]), version: Number(row["version"]) };
    },
    claim: (request) => database.write("claim writes", (connection) => claim(connection, request)),
    renew: async ({ queue, attempt }, leaseMs) => {
      const { count } = await database.one(
        "renew writes",
        `update reprise_write set lease_until = ${clock} + ? where attempt = ? and queue = ?`,
        [micros(leaseMs), id16(attempt), hashOf([queue])],
      );
      return count;
    },
    settle: (owner, ends) => database.write("settle writes", (connection) => settle(connection, owner, ends)),
    standing: async (queue) => {
      const { rows } = await database.one("standing of writes", standingText, [hashOf([queue]), hashOf([queue])]);
      return standingOf(rows[0] ?? {});
    },
    dead: async (queue, limit) => {
      const { rows } = await database.one(
        "dead writes",
        `select key_text, scope, version, attempts, dead_at, error from reprise_write force index (reprise_write_dead)
         where queue = ? and state = 'd' order by dead_at, version limit ?`,
        [hashOf([queue]), limit],
      );
      return rows.map((row) => ({
        key: textOf(row["key_text"]),
        scope: textOf(row["scope"]),
        version: Number(row["version"]),
        attempts: Number(row["attempts"]),
        at: instant(row["dead_at"]),
        error: textOf(row["error"]),
      }));
    },
    requeue: async (queue, version) => {
      const { count } = await database.one(
        "requeue write",
        `update reprise_write set state = 'p', place = version, attempts = 0, failures = 0, not_before = null,
           failed_at = null, dead_at = null, error = null where queue = ? and state = 'd' and version = ?`,
        [hashOf([queue]), version],
      );
      return count === 1;
    },
    discard: async (queue, version) => {
      const { count } = await database.one(
        "discard write",
        "delete from reprise_write where queue = ? and state = 'd' and version = ?",
        [hashOf([queue]), version],
      );
      return count === 1;
    },
    sweep: async (queue, keptMs, limit) => {
      const { count } = await database.one(
        "sweep writes",
        `delete from reprise_write where queue = ? and state = 'd' and dead_at <= ${clock} - ? order by dead_at limit ?`,
        [hashOf([queue]), micros(keptMs), limit],
      );
      return count;
    },
  };
}

/** Keys are of any length, and no index takes that. */
function hashOf(parts: readonly string[]): Uint8Array {
  return Buffer.from(sha256(JSON.stringify(parts)).slice(0, 32), "hex");
}
function nameOf(queue: string, key: string): Uint8Array {
  return hashOf([queue, key]);
}

/** Bytes that one statement carries: a packet holds 16 MB by default, and bytes are written as two digits each. */
const statementBytes = 1_000_000;

/**
 * One row a key: a newer write takes the older one's place in the order, and its claim stays. Who appends holds the row of
 * the versions, so that versions rise in the order of commits and what is counted cannot grow meanwhile.
 */
async function append(connection: Connection, { queue, writes, most }: AppendRequest): Promise<Appended> {
  const locked = await connection.query("select value from reprise_meta where name = ? for update", [bytes("writes")]);
  const counted = await connection.query(
    `select count(*) as pending, ${clock} as now_at from reprise_write where queue = ? and state = 'p'`,
    [hashOf([queue])],
  );
  const [row] = counted.rows;
  // kept apart from the rows, which leave: a version must not return when the clock is set back
  let last = Math.max(Number(textOf(locked.rows[0]?.["value"] ?? "0")), Number(row?.["now_at"]));
  let pending = Number(row?.["pending"]);
  const isPending = await pendingOf(
    connection,
    writes.map(({ key }) => nameOf(queue, key)),
  );
  const kept = new Map<string, readonly Own[]>();
  const versions = writes.map(({ key, scope, value }) => {
    const name = nameOf(queue, key);
    const place = Buffer.from(name).toString("hex");
    if (!isPending.has(place)) {
      if (pending >= most) return null;
      isPending.add(place);
      pending += 1;
    }
    last += 1;
    const first = kept.get(place)?.[placeAt] ?? last;
    kept.set(place, [name, hashOf([queue]), bytes(key), bytes(scope), bytes(value), last, first]);
    return last;
  });
  for (const chunk of chunksOf([...kept.values()])) await upsert(connection, chunk);
  await connection.query("update reprise_meta set value = ? where name = ?", [bytes(String(last)), bytes("writes")]);
  return { versions, pending };
}
const placeAt = 6;

/** Locks the rows of the keys: a write that is being settled must not be taken for one that stays. */
async function pendingOf(connection: Connection, names: readonly Uint8Array[]): Promise<Set<string>> {
  if (names.length === 0) return new Set();
  const { rows } = await connection.query(
    `select name, state from reprise_write where name in (${marks(names.length)}) order by name for update`,
    names,
  );
  const pending = rows.filter((row) => textOf(row["state"]) === "p");
  return new Set(pending.map((row) => Buffer.from(row["name"] as Uint8Array).toString("hex")));
}

/** What was dead is written as if it were new; what is pending keeps its place, its pause and its claim. */
async function upsert(connection: Connection, rows: readonly (readonly Own[])[]): Promise<void> {
  const wasDead = (column: string, then: string) => `${column} = if(state = 'd', ${then}, ${column})`;
  await connection.query(
    `insert into reprise_write (name, queue, key_text, scope, value, version, place, state)
     values ${rows.map(() => "(?, ?, ?, ?, ?, ?, ?, 'p')").join(", ")}
     on duplicate key update scope = values(scope), value = values(value), version = values(version), attempts = 0,
       failed_at = null, error = null, ${wasDead("place", "values(place)")}, ${wasDead("failures", "0")},
       ${wasDead("not_before", "null")}, dead_at = null, state = 'p'`,
    rows.flat(),
  );
}

function* chunksOf(rows: readonly (readonly Own[])[]): Generator<readonly (readonly Own[])[]> {
  let chunk: (readonly Own[])[] = [];
  let size = 0;
  for (const row of rows) {
    const bytesOfRow = row.reduce<number>((sum, one) => sum + (one instanceof Uint8Array ? one.length : 8), 0);
    if (chunk.length > 0 && size + bytesOfRow > statementBytes) {
      yield chunk;
      chunk = [];
      size = 0;
    }
    chunk.push(row);
    size += bytesOfRow;
  }
  if (chunk.length > 0) yield chunk;
}

/** Rows that another claim is taking are passed over: they are no longer free. */
async function claim(
  connection: Connection,
  { queue, attempt, leaseMs, limit }: ClaimWrites,
): Promise<readonly ClaimedWrite[]> {
  const { rows } = await connection.query(
    `select name, key_text, scope, value, version, attempts, failures, failed_at, ${clock} as now_at
     from reprise_write force index (reprise_write_place) where queue = ? and state = 'p'
       and coalesce(lease_until, 0) <= ${clock} and coalesce(not_before, 0) <= ${clock}
     order by place limit ? for update skip locked`,
    [hashOf([queue]), limit],
  );
  if (rows.length === 0) return [];
  await connection.query(
    `update reprise_write set attempt = ?, lease_until = ${clock} + ?, claimed = version
     where name in (${marks(rows.length)})`,
    [id16(attempt), micros(leaseMs), ...rows.map((row) => row["name"] as Uint8Array)],
  );
  return rows.map(claimedOf);
}

function claimedOf(row: Row): ClaimedWrite {
  const failedAt = numberOrNull(row["failed_at"]);
  return {
    key: textOf(row["key_text"]),
    scope: textOf(row["scope"]),
    value: textOf(row["value"]),
    version: Number(row["version"]),
    attempts: Number(row["attempts"]),
    failures: Number(row["failures"]),
    failingMs: failedAt === null ? 0 : Math.floor((Number(row["now_at"]) - failedAt) / 1_000),
  };
}

const unclaimed = "attempt = null, lease_until = null, claimed = null";

/** How many rows it ended: what the claim does not hold any more is passed over. */
async function settle(connection: Connection, owner: WriteClaim, ends: readonly WriteEnd[]): Promise<number> {
  const attempt = id16(owner.attempt);
  const named = (kind: WriteEnd["is"]) =>
    ends.filter((end) => end.is === kind).map((end) => nameOf(owner.queue, end.key));
  const change = async (text: string, params: readonly Own[], names: readonly Uint8Array[]): Promise<number> => {
    if (names.length === 0) return 0;
    const held = `name in (${marks(names.length)}) and attempt = ?`;
    return (await connection.query(text.replace("HELD", held), [...params, ...names, attempt])).count;
  };
  /** What was journalled after the claimed version has been waiting only since then. */
  const passToNewer = (reset: string, names: readonly Uint8Array[]) =>
    change(`update reprise_write set ${unclaimed}, place = version, ${reset} where HELD`, [], names);

  let ended = await change(`update reprise_write set ${unclaimed} where HELD`, [], named("released"));
  const applied = named("applied");
  ended += await change("delete from reprise_write where HELD and version = claimed", [], applied);
  ended += await passToNewer("failures = 0", applied);
  for (const end of ends) {
    const mine = [nameOf(owner.queue, end.key)];
    if (end.is === "failed") {
      const own = await change(
        `update reprise_write set ${unclaimed}, failures = failures + 1, not_before = ${clock} + ?,
           attempts = attempts + ?, failed_at = coalesce(failed_at, ${clock}), error = ?
         where HELD and version = claimed`,
        [micros(end.pauseMs), end.counts ? 1 : 0, bytes(end.error)],
        mine,
      );
      ended +=
        own > 0
          ? own
          : await change(
              `update reprise_write set ${unclaimed}, failures = failures + 1, not_before = ${clock} + ? where HELD`,
              [micros(end.pauseMs)],
              mine,
            );
    } else if (end.is === "dead") {
      ended += await change(
        `update reprise_write set ${unclaimed}, state = 'd', attempts = attempts + 1, error = ?, dead_at = ${clock}
         where HELD and version = claimed`,
        [bytes(end.error)],
        mine,
      );
      ended += await passToNewer("failures = 0, not_before = null", mine);
    }
  }
  return ended;
}

const standingText = `select count(*) as pending, min(place) as oldest, max(version) as newest,
    min(greatest(coalesce(lease_until, 0), coalesce(not_before, 0))) as due, ${clock} as now_at,
    (select count(*) from reprise_write where queue = ? and state = 'd') as dead
  from reprise_write where queue = ? and state = 'p'`;

function standingOf(row: Row): WriteStanding {
  const due = numberOrNull(row["due"]);
  return {
    pending: Number(row["pending"]),
    dead: Number(row["dead"]),
    oldest: numberOrNull(row["oldest"]),
    newest: numberOrNull(row["newest"]),
    dueInMs: due === null ? null : Math.ceil((due - Number(row["now_at"])) / 1_000) + 0,
  };
}

function marks(count: number): string {
  return Array.from({ length: count }, () => "?").join(", ");
}
