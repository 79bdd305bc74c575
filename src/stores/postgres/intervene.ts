import { newAttemptId, type WorkId } from "../../base/names.ts";
import type { Intervention, Note } from "../../contract/ledger.ts";
import { lockWork, opened, unpinned } from "./effects.ts";
import { finished } from "./endings.ts";
import { shown } from "./insert.ts";
import { type PostgresServer, type Step, step } from "./server.ts";

/** An owner's transaction holds its fence until it ends, which may be long: a person is told so, and does not wait for it. */
const boundedLock = "set local lock_timeout = '2s'";

/** `change` of `w` returns the work that it is about, `$1`. It is noted in the name of who decided it, and why. */
function decision(
  what: "settled" | "answered" | "forgotten" | "reopened" | "revoked" | "cancelled",
  change: string,
): string {
  return `with c as (${change} returning w.id, w.token)
    insert into @attempt (at, id, token, what, owner, why) select clock_timestamp(), id, token, '${what}', $2, $3 from c`;
}

const parked = "w.id = $1::uuid and w.state = 'u'";
const startedEffect = `e.id = w.id and e.name = $4 and ${unpinned}`;

// done work leaves the index of what waits
const settle = decision("settled", `update @work w set ${finished}, effect = null, not_before = null where ${parked}`);

const answer = decision(
  "answered",
  `update @effect e set state = 'p', answer = $5, pinned_at = clock_timestamp() from @work w
    where ${parked} and ${startedEffect}`,
);

const forget = decision("forgotten", `delete from @effect e using @work w where ${parked} and ${startedEffect}`);

const reopen = decision("reopened", `update @work w set ${opened}, cancelled_at = null where ${parked}`);

/** With another attempt's id nothing that the owner still writes carries the fence. */
const revoke = decision(
  "revoked",
  `update @work w set state = 'o', attempt = $5::uuid, not_before = clock_timestamp(), lease_until = clock_timestamp()
    where w.id = $1::uuid and w.state = 'r' and w.token = $4::int`,
);

/** What waits is due from now on. */
const cancel = decision(
  "cancelled",
  `update @work w set cancelled_at = clock_timestamp(), not_before = case when w.state = 'o' then w.lease_until end
    where w.id = $1::uuid and w.state in ('o', 'r') and w.input is not null and w.cancelled_at is null`,
);

/** Only a decision of this very transaction opens work: a person may have parked it for another reason. */
const reopenIfDecided = `with w as (update @work w set ${opened}
    where ${parked} and not exists (select 1 from @effect e where e.id = w.id and ${unpinned})
      and exists (select 1 from @attempt a where a.id = w.id and a.xmin = pg_current_xact_id()::xid)
    returning id, owner, token)
  insert into @attempt (at, id, token, what, owner) select clock_timestamp(), id, token, 'reopened', owner from w`;

/** It takes nothing from the owner, whose transaction goes on beside it. */
const lockBeside = "select 1 as held from @work where id = $1::uuid for no key update";

/** Behind a lock of the row: the state that is looked at is the one that is changed, and pins wait. */
export async function intervene(
  server: PostgresServer,
  id: WorkId,
  intervention: Intervention,
  note: Note,
): Promise<boolean> {
  const lock = intervention.does === "cancel" ? lockBeside : lockWork;
  const steps = [step(boundedLock), step(lock, id), ...decided(id, intervention, note)];
  const [, , changed] = await server.together("intervene", steps);
  return changed?.count === 1;
}

function decided(id: WorkId, intervention: Intervention, { who, why }: Note): readonly Step[] {
  const noted = [id, shown(who), shown(why)] as const;
  switch (intervention.does) {
    case "settle": {
      const { outcome, refused, keepMs } = intervention;
      return [step(settle, ...noted, outcome, refused ? 1 : 0, keepMs)];
    }
    case "answer":
      return [step(answer, ...noted, intervention.effect, intervention.answer), step(reopenIfDecided, id)];
    case "forget":
      return [step(forget, ...noted, intervention.effect), step(reopenIfDecided, id)];
    case "reopen":
      return [step(reopen, ...noted)];
    case "release":
      return [step(revoke, ...noted, intervention.token, newAttemptId())];
    case "cancel":
      return [step(cancel, ...noted)];
  }
}
