import { defaults } from "../../base/defaults.ts";
import type { WorkId } from "../../base/names.ts";
import type {
  AbandonedQuery,
  AbandonedWork,
  Completion,
  Concluded,
  Fence,
  Finished,
  ParkAbandonedQuery,
  Parking,
  Release,
} from "../../contract/ledger.ts";
import { fenced, fenceOf, lockWork, unpinned } from "./effects.ts";
import { inOrder } from "./looking.ts";
import { boundIdling, epochMs, interval, isOpen, markOpen, nameIn, numberOf, textOf, workIdIn } from "./rows.ts";
import { type Ending, type PostgresServer, type Step, step } from "./server.ts";
import type { Session, Transactor } from "./transaction.ts";

/** The outcome of `$4` to `$6`. The input was kept for a completer only. */
export const finished = `state = 'd', outcome = $4, refused = $5::int = 1, ended_at = clock_timestamp(),
      keep_until = greatest(keep_until, clock_timestamp() + ${interval("$6")}), input = null, why = null`;

const complete = `with w as (update @work w set ${finished}
    where ${fenced} and not exists (select 1 from @effect e where e.id = w.id
      and (${unpinned} or e.name not in (select json_array_elements_text($7::text::json))))
    returning 1)
  select (select count(*) from w) as done, (select count(*) from @work where ${fenced}) as held`;

/** The heartbeat waits: above READ COMMITTED the row could not be changed after one. */
const holdAlone = `select 1 as held, ${boundIdling("$4")} as idle, ${markOpen} as open
  from @work where ${fenced} for no key update`;

const passedOver = `select 1 as passed from @effect e where id = $1::uuid
  and (${unpinned} or name not in (select json_array_elements_text($2::text::json))) limit 1`;

const conclude = `update @work set ${finished} where ${fenced} and ${isOpen}`;

const lockOwn = `select 1 as held from @work where ${fenced} for update`;

/** In a statement after the lock: what a start that was under way has written is seen. */
const deleteUnstarted = `with d as (delete from @work w where ${fenced}
      and not exists (select 1 from @effect e where e.id = w.id) returning name, id),
  k as (delete from @work where bound is not null and bound = any(array(select name from d))),
  a as (delete from @attempt where id = any(array(select id from d)))
  select 1 as deleted from d`;

const leaveOpen = `with w as (update @work set state = 'o', not_before = clock_timestamp() + ${interval("$4")},
      lease_until = clock_timestamp(), why = $5 where ${fenced} returning id, owner, token)
  insert into @attempt (at, id, token, what, owner, why)
  select clock_timestamp(), id, token, 'released', owner, $5 from w`;

/** Sets work aside, and notes it. Behind a lock of the row: pins of it wait, and see that it is parked. */
function parking(condition: string, effect = "$2"): string {
  return `with w as (update @work w set state = 'u', effect = ${effect}, why = $3, ended_at = clock_timestamp(), not_before = null
      where id = $1::uuid and ${condition} returning id, owner, token, ended_at),
    n as (insert into @attempt (at, id, token, what, owner, why) select ended_at, id, token, 'parked', owner, $3 from w)
    select ${epochMs("ended_at")} as at from w`;
}

const parkAny = parking("true");
const parkOwned = parking(`state = 'r' and name = $4::uuid and attempt = $5::uuid and ($6::int = 0 or not exists
  (select 1 from @effect e where e.id = w.id and e.name = $2 and e.state = 'p'))`);
const nobodyAt = "(state = 'o' or state = 'r' and lease_until <= clock_timestamp())";
const parkAtToken = parking(`token = $4::int and ${nobodyAt}`);
const leftFor = `greatest(lease_until, not_before) <= clock_timestamp() - ${interval("$4")}`;
const startedEffect = `(select min(e.name) from @effect e where e.id = w.id and ${unpinned})`;
/** `$2` stands for nothing here: the effect is what is still started. */
const parkLeft = parking(
  `state in ('o', 'r') and $2::text is null and ${leftFor} and ${startedEffect} is not null`,
  startedEffect,
);

const holdsFence = `select count(*) as held from @work where ${fenced}`;

/** Read once: compared with a clock that runs on, no index is used. */
const instant = "(select clock_timestamp())";

const asked = "asked(operation) as (select distinct json_array_elements_text($1::text::json))";
const abandonedColumns = "id, name, operation, input, token, resumes";
const idleSince = `${instant} - ${interval("$2")}`;

/**
 * Of many that wait those that have been due the longest, of each operation by the index of what is due, so that neither
 * other operations' work nor what waits for its time is read; and those whose owner's lease is over, of which there are
 * never more than run. Told oldest first.
 */
const abandoned = `with ${asked}
  select ${abandonedColumns} from (
    (select w.* from asked a cross join lateral (select ${abandonedColumns}, created_at, not_before from @work
        where operation = a.operation and not_before is not null and input is not null and state = 'o'
          and not_before <= ${idleSince} order by not_before limit $3::int) w
      order by not_before limit $3::int)
    union all
    (select ${abandonedColumns}, created_at, not_before from @work
      where input is not null and not_before is null and effect is null and state = 'r' and lease_until <= ${idleSince}
        and operation in (select operation from asked) order by created_at limit $3::int)) w
  order by created_at limit $3::int`;

const abandonedById = `with ${asked} select ${abandonedColumns} from @work
  where id = $3::uuid and input is not null and operation in (select operation from asked) and state in ('o', 'r')
    and greatest(lease_until, not_before) <= clock_timestamp() - ${interval("$2")}`;

const left = `select distinct w.id from @effect e join @work w on w.id = e.id
  where e.state = 's' and e.started_at <= ${instant} - ${interval("$2")} and w.operation = $1
    and w.state in ('o', 'r') and greatest(w.lease_until, w.not_before) <= clock_timestamp() - ${interval("$2")}`;

/**
 * Rows that somebody has locked are left to the next sweep. They are found again by their place, which takes half as long
 * as by name; in partitions a place alone is none. What hangs on them is named in arrays, and a parent is asked for its
 * state: joined, or asked whether it exists, the planner may read whole tables instead.
 */
const sweepExpired = { whole: sweeping("ctid"), partitioned: sweeping("name") };
function sweeping(by: "ctid" | "name"): string {
  return `with d as (delete from @work where ${by} = any(array(select ${by} from @work w
      where state = 'd' and keep_until <= ${instant} and (parent is null
        or coalesce((select p.state from @work p where p.name = w.parent), 'd') = 'd')
      order by keep_until limit $1::int for update of w skip locked))
    and state = 'd' and keep_until <= clock_timestamp() returning name, id),
  e as (delete from @effect where id = any(array(select id from d where id is not null))),
  a as (delete from @attempt where id = any(array(select id from d where id is not null))),
  k as (delete from @work where bound is not null and bound = any(array(select name from d)))
  select count(*) as swept from d`;
}

export async function completeWork(
  server: PostgresServer,
  fence: Fence,
  completion: Completion,
): Promise<"done" | "fenced" | "effects-differ"> {
  const { outcome, refused, keepMs, visited } = completion;
  const rest = [outcome, refused ? 1 : 0, keepMs, JSON.stringify(visited)];
  const { rows } = await server.once("complete", complete, ...fenceOf(fence), ...rest);
  if (numberOf(rows[0]?.["done"]) === 1) return "done";
  return numberOf(rows[0]?.["held"]) === 1 ? "effects-differ" : "fenced";
}

/** Fence first and what would hinder the completion, then the user's work, then its outcome, all in one commit. */
export function concludeWork<Tx, T>(
  transactor: Transactor<Tx>,
  fence: Fence,
  { keepMs, visited }: Pick<Completion, "keepMs" | "visited">,
  work: (tx: Tx) => Promise<Finished<T>>,
): Promise<Concluded<T>> {
  const opening = [
    step(holdAlone, ...fenceOf(fence), String(defaults.postgres.idleMs)),
    step(passedOver, fence.id, JSON.stringify(visited)),
  ];
  return transactor.run(
    "conclude",
    opening,
    async ({ tx }: Session<Tx>, [held, passed]): Promise<Ending<Concluded<T>>> => {
      if (held?.count !== 1) return { is: "rollback", value: { is: "fenced" }, soon: true };
      if (passed?.count !== 0) return { is: "rollback", value: { is: "effects-differ" }, soon: true };
      const { value, outcome, refused } = await work(tx);
      const steps = [step(conclude, ...fenceOf(fence), outcome, refused ? 1 : 0, keepMs)];
      return { is: "commit", steps, value: () => ({ is: "done", value }) };
    },
  );
}

export async function releaseWork(
  server: PostgresServer,
  fence: Fence,
  { keep, notBeforeMs, error }: Release,
): Promise<"released" | "open" | "fenced"> {
  const own = fenceOf(fence);
  // the ledger decides what happened, not the process's memory: a commit's answer may have been lost
  const end = step(leaveOpen, ...own, notBeforeMs, error);
  const steps = keep ? [end] : [step(deleteUnstarted, ...own), end];
  const [, ...answers] = await server.together("release", [step(lockOwn, ...own), ...steps]);
  const opened = answers.at(-1)?.count === 1;
  if (opened) return "open";
  return !keep && answers[0]?.count === 1 ? "released" : "fenced";
}

export async function parkOwn(
  server: PostgresServer,
  fence: Fence,
  { effect, why, unlessAnswered }: Parking,
): Promise<"parked" | "answered" | "fenced"> {
  const own = fenceOf(fence);
  const [, parked, held] = await server.together("park", [
    step(lockOwn, ...own),
    step(parkOwned, fence.id, effect, why, fence.name, fence.attempt, unlessAnswered ? 1 : 0),
    step(holdsFence, ...own),
  ]);
  if (parked?.count === 1) return "parked";
  return numberOf(held?.rows[0]?.["held"]) === 1 ? "answered" : "fenced";
}

/** Parks work whose row this transaction has locked. */
export function park(id: WorkId, effect: string, why: string): Step {
  return step(parkAny, id, effect, why);
}

export async function abandonedWork(server: PostgresServer, query: AbandonedQuery): Promise<readonly AbandonedWork[]> {
  const { operations, idleMs, limit, id } = query;
  const params = [JSON.stringify(operations), idleMs] as const;
  const asking = id === undefined ? step(abandoned, ...params, limit) : step(abandonedById, ...params, id);
  const answers = await server.together("abandoned", [...inOrder, asking]);
  return (answers.at(-1)?.rows ?? []).map((row) => ({
    id: workIdIn(row["id"]),
    name: nameIn(row["name"]),
    operation: textOf(row["operation"]),
    input: textOf(row["input"]),
    token: numberOf(row["token"]),
    resumes: numberOf(row["resumes"]),
  }));
}

export async function parkStalledWork(
  server: PostgresServer,
  { id, token }: Pick<AbandonedWork, "id" | "token">,
  why: string,
): Promise<boolean> {
  const steps = [step(lockWork, id), step(parkAtToken, id, "(resume)", why, token)];
  const [, parked] = await server.together("parkStalled", steps);
  return parked?.count === 1;
}

export async function parkAbandonedWork(server: PostgresServer, query: ParkAbandonedQuery): Promise<number> {
  const { operation, afterMs } = query;
  let parkedWorks = 0;
  for (const row of (await server.once("parkAbandoned", left, operation, afterMs)).rows) {
    const id = workIdIn(row["id"]);
    // what was pinned since then, before the lock, is seen behind it
    const steps = [step(lockWork, id), step(parkLeft, id, null, "abandoned", afterMs)];
    const [, parked] = await server.together("parkAbandoned", steps);
    parkedWorks += parked?.count ?? 0;
  }
  return parkedWorks;
}

export async function sweepWork(server: PostgresServer, limit: number): Promise<number> {
  return numberOf((await server.once("sweep", sweepExpired, limit)).rows[0]?.["swept"]);
}
