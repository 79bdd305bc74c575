import { defaults } from "../../base/defaults.ts";
import { RepriseError } from "../../base/errors.ts";
import type { WorkId } from "../../base/names.ts";
import type { Answered, EffectRecord, EffectStart, Fence, Pinned, Started, Transacted } from "../../contract/ledger.ts";
import {
  boundIdling,
  effectColumns,
  effectRecord,
  interval,
  isOpen,
  markOpen,
  numberOf,
  textOf,
  textOrNull,
} from "./rows.ts";
import { type Ending, type PostgresServer, step } from "./server.ts";
import type { Session, Transactor } from "./transaction.ts";

/** The fence, of `$1` to `$3`. */
export const fenced = "name = $1::uuid and attempt = $2::uuid and id = $3::uuid and state = 'r'";
export const fenceOf = ({ name, attempt, id }: Fence) => [name, attempt, id] as const;

/** While it is locked so, nobody takes the work over; heartbeats, pins and further keys go on beside it. */
const holding = `select id, token, operation from @work where ${fenced} for key share`;

/** The same for an open transaction. */
const holdingOpen = `select id, token, operation, ${boundIdling("$4")} as idle, ${markOpen} as open
  from @work where ${fenced} for key share`;

/**
 * Of `e`, an effect that is found by its work. Asked for the state by name, the server may read the index of all that are
 * started instead, and with them every one that was since the last vacuum.
 */
export const unpinned = "e.state <> 'p'";

const startEffect = `with w as (${holding}),
  i as (insert into @effect (started_at, settle_at, id, token, kind, state, name)
    select t.now, t.now + ${interval("$5")}, w.id, w.token, 'e', 's', $4 from w, (select clock_timestamp() as now) t
    on conflict do nothing returning 1)
  select (select count(*) from w) as held, (select count(*) from i) as started`;

const restartEffect = `with w as (${holding})
  update @effect e set settle_at = greatest(e.settle_at, clock_timestamp() + ${interval("$5")})
  from w where e.id = w.id and e.name = $4 and ${unpinned}`;

/**
 * The lock of the work comes first, so that whether it is parked is known and stays so until the pin has committed; what
 * is parked is pinned by the longer way.
 */
const pinUnparked = `with w as (select id from @work where id = $1::uuid and state <> 'u' for key share)
  update @effect e set state = 'p', answer = $3, pinned_at = clock_timestamp()
  from w where e.id = w.id and e.name = $2 and ${unpinned}`;

/** Against parking and other pins at the same time: each sees what the one before it has committed. */
export const lockWork = "select 1 as held from @work where id = $1::uuid for update";

const pinLocked = `update @effect e set state = 'p', answer = $3, pinned_at = clock_timestamp()
  where id = $1::uuid and name = $2 and ${unpinned}`;

/** Parked work needs no person any more. */
export const opened = `state = 'o', resumes = 0, not_before = clock_timestamp(), lease_until = clock_timestamp(),
      ended_at = null, effect = null, why = null`;

/** Only what this very transaction pinned opens work again: a person may have parked it for another reason. */
const reopen = `with w as (update @work w set ${opened}
    where id = $1::uuid and state = 'u' and not exists (select 1 from @effect e where e.id = w.id and ${unpinned})
      and exists (select 1 from @effect e where e.id = w.id and e.name = $2 and e.xmin = pg_current_xact_id()::xid)
    returning id, owner, token)
  insert into @attempt (at, id, token, what, owner) select clock_timestamp(), id, token, 'reopened', owner from w`;

const effectByName = `select ${effectColumns} from @effect where id = $1::uuid and name = $2`;
export const effectsById = `select ${effectColumns} from @effect where id = $1::uuid order by started_at, name`;

export async function effectsOf(server: PostgresServer, id: WorkId): Promise<readonly EffectRecord[]> {
  return (await server.once("effects", effectsById, id)).rows.map(effectRecord);
}

export async function start(server: PostgresServer, fence: Fence, effect: EffectStart): Promise<Started> {
  for (;;) {
    const { rows } = await server.once("start", startEffect, ...fenceOf(fence), effect.effect, effect.settleMs);
    if (numberOf(rows[0]?.["held"]) === 0) return { is: "fenced" };
    if (numberOf(rows[0]?.["started"]) === 1) return { is: "started" };
    // a snapshot that waited for another's insert does not hold it: read anew
    const [present] = (await server.once("start", effectByName, fence.id, effect.effect)).rows;
    if (present !== undefined) return { is: "present", record: effectRecord(present) };
  }
}

export async function restart(server: PostgresServer, fence: Fence, effect: EffectStart): Promise<boolean> {
  const answer = await server.once("restart", restartEffect, ...fenceOf(fence), effect.effect, effect.settleMs);
  return answer.count === 1;
}

export async function pin(server: PostgresServer, id: WorkId, effect: string, answer: string): Promise<Pinned> {
  if ((await server.once("pin", pinUnparked, id, effect, answer)).count === 1) return { is: "pinned" };
  const [, pinned, , kept] = await server.together("pin", [
    step(lockWork, id),
    step(pinLocked, id, effect, answer),
    step(reopen, id, effect),
    step(effectByName, id, effect),
  ]);
  if (pinned?.count === 1) return { is: "pinned" };
  const present = textOrNull(kept?.rows[0]?.["answer"]);
  return present === null ? { is: "gone" } : { is: "present", answer: present };
}

/** The pinned record of a transaction, in its own commit. It raises where another attempt's stands. */
const pinTransaction = `insert into @effect (started_at, settle_at, pinned_at, id, token, kind, state, name, answer)
  select t.now, t.now, t.now, $1::uuid, $2::int, 't', 'p', $3, $4 from (select clock_timestamp() as now) t where ${isOpen}`;

/** Fence first, then the user's work, then its record, all in one commit. */
export function transact<Tx, T>(
  transactor: Transactor<Tx>,
  fence: Fence,
  effect: string,
  work: (tx: Tx) => Promise<Answered<T>>,
): Promise<Transacted<T>> {
  const opening = [
    step(holdingOpen, ...fenceOf(fence), String(defaults.postgres.idleMs)),
    step(effectByName, fence.id, effect),
  ];
  return transactor.run("transact", opening, async ({ tx }: Session<Tx>, [held, before]) => {
    // waited for: while its fence is held, the next claim would be told that the work runs
    const end = (value: Transacted<T>): Ending<Transacted<T>> => ({ is: "rollback", value, soon: false });
    const owned = held?.rows[0];
    if (owned === undefined) return end({ is: "fenced" });
    const present = before?.rows[0];
    if (present !== undefined) {
      const { answer } = effectRecord(present);
      if (answer !== null) return end({ is: "present", answer });
      // an outside call under this name is unanswered: declared otherwise before
      throw new RepriseError("REPRISE_EFFECT_NAME_TWICE", { operation: textOf(owned["operation"]), effect });
    }
    const { value, answer } = await work(tx);
    const steps = [step(pinTransaction, fence.id, numberOf(owned["token"]), effect, answer)];
    return { is: "commit", steps, value: () => ({ is: "committed", value }) };
  });
}
