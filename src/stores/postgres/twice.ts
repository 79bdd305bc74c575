import type { Twice, TwiceQuery } from "../../contract/ledger.ts";
import { inOrder } from "./looking.ts";
import { interval, nameIn, runSummary, summaryColumns } from "./rows.ts";
import { type PostgresServer, step } from "./server.ts";

/** Among so many of the newest works second successes are looked for. */
const newestLookedAt = 500;

const succeeded = (row: string) => `${row}.state = 'd' and not ${row}.refused and ${row}.operation = $1`;

/** The newest works of the operation, or with the intent, of which each looks for the success before it by its intent. */
function pairsOf(newest: string): string {
  return `with pairs as (
      select s.name as second, f.name as first, row_number() over (order by s.created_at desc, s.name desc) as place
      from (select name, created_at, intent, state, refused, operation from @work w
        where ${newest} order by created_at desc limit ${newestLookedAt}) s
      cross join lateral (select name from @work f
        where f.intent = s.intent and f.intent is not null and ${succeeded("f")}
          and (f.created_at, f.name) < (s.created_at, s.name) and f.created_at >= s.created_at - ${interval("$2")}
        order by f.created_at desc, f.name desc limit 1) f
      where s.intent is not null and ${succeeded("s")}
      order by s.created_at desc, s.name desc limit $3::int)
    select ${summaryColumns}, name from (
      select w.*, p.place, 1 as part from pairs p cross join lateral (select * from @work w where w.name = p.first limit 1) w
      union all
      select w.*, p.place, 2 as part from pairs p cross join lateral (select * from @work w where w.name = p.second limit 1) w) w
    order by w.place, w.part`;
}

const byOperation = pairsOf("w.operation = $1 and w.operation is not null");
const byIntent = pairsOf("w.intent = $4::uuid and w.intent is not null");

export async function succeededTwice(server: PostgresServer, query: TwiceQuery): Promise<readonly Twice[]> {
  const { operation, withinMs, limit, intent } = query;
  const params = [operation, withinMs, limit] as const;
  const asked = intent === undefined ? step(byOperation, ...params) : step(byIntent, ...params, intent);
  const answers = await server.together("twice", [...inOrder, asked]);
  const rows = answers.at(-1)?.rows ?? [];
  return rows.flatMap((first, place) => {
    const second = rows[place + 1];
    if (place % 2 === 1 || second === undefined) return [];
    return [{ first: runSummary(first), second: runSummary(second), name: nameIn(second["name"]) }];
  });
}
