import type { WorkId } from "../../base/names.ts";
import type { RecentQuery, RunHistory, RunSummary } from "../../contract/ledger.ts";
import { effectsById } from "./effects.ts";
import { attemptRecord, effectRecord, epochMs, runSummary, summaryColumns } from "./rows.ts";
import { type PostgresServer, type StatementText, step } from "./server.ts";

/** Among so many of each operation's newest runs, running ones are looked for; see `running`. */
const newestLookedAt = 500;

/** Each operation by a jump in the index; `$2` restricts them to one. */
const operations = `recursive operations(operation) as (
    (select case when $2::text is null then (select min(operation) from @work where operation is not null) else $2 end)
    union all
    select (select min(w.operation) from @work w where w.operation > o.operation and w.operation is not null)
    from operations o where o.operation is not null and $2::text is null)`;

const newestFirst = `order by created_at desc limit $1::int`;

function newest(condition: string): string {
  return `with ${operations}
    select ${summaryColumns} from (select w.* from operations o cross join lateral (select * from @work w
      where w.operation = o.operation and w.operation is not null and ${condition} ${newestFirst}) w ${newestFirst}) w
    ${newestFirst}`;
}

const anyState = newest("true");
const done = newest("state = 'd'");

/** Each in an index for them alone. */
const ofState = (state: "o" | "u", known: string) => `select ${summaryColumns} from @work
  where ${known} and state = '${state}' and ($2::text is null or operation = $2) ${newestFirst}`;
const open = ofState("o", "not_before is not null");
const parked = ofState("u", "effect is not null");

/**
 * What is running stands in no index of its own, or every completion would write all of them. So it is looked for among
 * the newest runs, and besides, however old, among those that keep their input and those with one of the newest
 * unanswered effects: what somebody may have to look after. Each row by a look-up of its own: joined, the whole table is
 * read. By its id a row is sought in every partition, so there fewer effects are followed.
 */
const running = { whole: amongLive(5_000), partitioned: amongLive(500) };
function amongLive(effects: number): string {
  return `with ${operations}, found(found) as (
    (select w.name from operations o cross join lateral (select name, state, created_at from @work w
      where w.operation = o.operation and w.operation is not null order by created_at desc limit ${newestLookedAt}) w
      where w.state = 'r' order by w.created_at desc limit $1::int)
    union (select name from @work
      where input is not null and not_before is null and effect is null and state = 'r' and ($2::text is null or operation = $2)
      ${newestFirst})
    union (select name from @work where id is not null and id = any(array(select id from @effect
      where state = 's' order by started_at desc limit ${effects}))
      and state = 'r' and ($2::text is null or operation = $2) ${newestFirst}))
  select ${summaryColumns} from found f cross join lateral (select * from @work w where w.name = f.found limit 1) w
  ${newestFirst}`;
}

/**
 * Whatever the planner believes: of what it has not counted yet it expects a few rows, and would sort all of them instead of
 * reading the first ones in an index's order; else it fears more than there are, and would compile for longer than it reads.
 */
export const inOrder = [step("set local enable_sort = off"), step("set local jit = off")] as const;

/** Newest first. Each shape of the question has an order that an index gives, so that none reads the whole ledger. */
export async function recentRuns(server: PostgresServer, query: RecentQuery): Promise<readonly RunSummary[]> {
  const { operation = null, state, limit } = query;
  const ask = async (text: StatementText) => {
    const answers = await server.together("recent", [...inOrder, step(text, limit, operation)]);
    return answers.at(-1)?.rows.map(runSummary) ?? [];
  };
  switch (state) {
    case undefined:
      return ask(anyState);
    case "done":
      return ask(done);
    case "running":
      return ask(running);
    case "open":
      return ask(open);
    case "unknown":
      return ask(parked);
  }
}

const runById = `select ${summaryColumns} from @work where id = $1::uuid
  union all select ${summaryColumns} from @work where name = $1::uuid and id is null and state <> 'k'`;
const attemptsById = `select ${epochMs("at")} as at, what, owner, token, why from @attempt where id = $1::uuid order by place`;

export async function runHistory(server: PostgresServer, id: WorkId): Promise<RunHistory | null> {
  const [run, effects, attempts] = await server.together(
    "history",
    [step(runById, id), step(effectsById, id), step(attemptsById, id)],
    "one",
  );
  const row = run?.rows[0];
  if (row === undefined) return null;
  return {
    run: runSummary(row),
    effects: effects?.rows.map(effectRecord) ?? [],
    attempts: attempts?.rows.map(attemptRecord) ?? [],
  };
}
