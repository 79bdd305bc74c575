import type { Acquired, Held, LeaseRequest, LeaseStore } from "../../contract/lease.ts";
import type { OwnRow } from "./driver.ts";
import { interval, msUntil, numberOf, textOf } from "./rows.ts";
import { type PostgresServer, step } from "./server.ts";
import type { Transactor } from "./transaction.ts";

/** A released lease has no end: it is over, and its row stays for its token. */
const isOver = "coalesce(until, '-infinity') <= clock_timestamp()";
const leftMs = `coalesce(${msUntil("until")}, 0)`;
const untilFor = (parameter: string) => `clock_timestamp() + ${interval(parameter)}`;

/**
 * One statement takes what is over or the asker's own, or writes what is new, or tells how it stands. It skips a row that
 * anybody has locked, and so waits for no transaction: that of a check locks the key, which only `for update` minds. It
 * may see none of three: somebody writes the row at this moment.
 */
const acquire = `with standing as (select attempt, token, holder, ${leftMs} as leftms from @lease where name = $1),
  took as (update @lease set attempt = $2::uuid, token = token + (attempt <> $2::uuid)::int, holder = $3,
      until = ${untilFor("$4")}
    where name = (select name from @lease where name = $1 and (${isOver} or attempt = $2::uuid) for update skip locked)
    returning token),
  wrote as (insert into @lease (name, attempt, token, holder, until)
    select $1, $2::uuid, 1, $3, ${untilFor("$4")} where not exists (select 1 from standing)
    on conflict do nothing returning token)
  select 'mine' as is, token, null as holder, 0 as leftms from took
  union all select 'mine', token, null, 0 from wrote
  union all select case when attempt = $2::uuid and leftms > 0 then 'mine' else 'held' end, token, holder, leftms
    from standing where not exists (select 1 from took)`;

/** Changes no column of a key: beside a check it waits for nothing. */
const renew = `update @lease set until = ${untilFor("$3")} where name = $1 and attempt = $2::uuid and until is not null`;
const release = "update @lease set until = null where name = $1 and attempt = $2::uuid and until is not null";
const look = `select token, holder, ${leftMs} as leftms from @lease where name = $1`;
const check = "select 1 as held from @lease where name = $1 and attempt = $2::uuid and until is not null for key share";

export function postgresLeases<Tx>(server: PostgresServer, transactor: Transactor<Tx>): LeaseStore<Tx> {
  return {
    name: server.ledger,
    acquire: (request) => acquireLease(server, request),
    renew: async ({ name, attempt }, leaseMs) =>
      (await server.once("renew lease", renew, name, attempt, leaseMs)).count === 1,
    release: async ({ name, attempt }) => (await server.once("release lease", release, name, attempt)).count === 1,
    look: async (name) => {
      const [row] = (await server.once("look at lease", look, name)).rows;
      if (row === undefined) return null;
      return { token: numberOf(row["token"]), holder: textOf(row["holder"]), forMs: leftOf(row) };
    },
    check: (tx, { name, attempt }) =>
      transactor.nest(tx, [step(check, name, attempt)], async (_, [checked]) => {
        const isHeld = checked?.count === 1;
        return { is: "commit", steps: [], value: () => isHeld };
      }),
  };
}

async function acquireLease(server: PostgresServer, request: LeaseRequest): Promise<Acquired | Held> {
  const { name, holder, attempt, leaseMs } = request;
  for (;;) {
    const [row] = (await server.once("acquire lease", acquire, name, attempt, holder, leaseMs)).rows;
    if (row === undefined) continue;
    if (row["is"] === "mine") return { is: "acquired", token: numberOf(row["token"]) };
    return { is: "held", holder: textOf(row["holder"]), forMs: leftOf(row) };
  }
}

function leftOf(row: OwnRow): number {
  return Math.max(0, numberOf(row["leftms"]));
}
