import type { SuccessesPage, SuccessesQuery } from "../../contract/ledger.ts";
import { inOrder } from "./looking.ts";
import { nameIn, runSummary, summaryColumns, textOf } from "./rows.ts";
import { type PostgresServer, step } from "./server.ts";

/** A place is an instant, in microseconds, and the name of the work that began then. */
const after = `(timestamptz 'epoch' + $2::float8 * interval '1 microsecond', $3::uuid)`;

const page = `select ${summaryColumns}, name, intent, round(extract(epoch from created_at) * 1000000)::bigint::text as began
  from @work where operation = $1 and operation is not null and (created_at, name) > ${after}
  order by created_at, name limit $4::int`;

const oldest = `0 ${"0".repeat(32)}`;

export async function keptSuccesses(server: PostgresServer, query: SuccessesQuery): Promise<SuccessesPage> {
  const { operation, limit } = query;
  const [began = "", name = ""] = (query.after ?? oldest).split(" ");
  const answers = await server.together("successes", [...inOrder, step(page, operation, Number(began), name, limit)]);
  const rows = answers.at(-1)?.rows ?? [];
  const last = rows.length < limit ? undefined : rows.at(-1);
  return {
    successes: rows
      .map((row) => ({ run: runSummary(row), intent: row["intent"] === null ? null : nameIn(row["intent"]) }))
      .filter(({ run }) => run.refused === false),
    next: last === undefined ? null : `${textOf(last["began"])} ${nameIn(last["name"])}`,
  };
}
