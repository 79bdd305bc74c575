import { epochMs, msUntil } from "./rows.ts";

/** Past its keep, and nobody's child: a child is cleared by the sweep alone, which looks after its parent. */
const isOver = (row: string) =>
  `${row}.state = 'd' and ${row}.keep_until <= clock_timestamp() and ${row}.parent is null`;

const columns = `w.name, w.key, w.bound, w.id, w.attempt, w.token, w.resumes, encode(w.print, 'hex') as print,
  w.print_v as version, w.state, w.outcome, w.effect, ${epochMs("w.created_at")} as created,
  ${epochMs("w.ended_at")} as ended, ${msUntil("w.lease_until")} as leaseleft, ${msUntil("w.not_before")} as waitleft,
  case when w.input is null then 0 else 1 end as keepsinput,
  case when ${isOver("w")} then 1 else 0 end as expired, 0 as boundalive`;

/** Of a row that is not the work's own it is only asked whose the key is. What is not read is not computed. */
const keyColumns = `w.name, w.key, w.bound, null::uuid, null::uuid, null::int, null::int, null, null::int, null::"char", null, null,
  null::numeric, null::numeric, null::numeric, null::numeric, null::int, case when ${isOver("w")} then 1 else 0 end,
  case when exists (select 1 from @work t where t.name = w.bound and not (${isOver("t")})) then 1 else 0 end`;

/** What stands under both names, in a snapshot of its own. One index each: an `or` of both takes longer. */
export function looking(name: string, key: string): string {
  return `select ${columns} from @work w where w.name = ${name}
  union all select ${keyColumns} from @work w where w.key = ${key} and w.name <> ${name}`;
}

/**
 * The two ends of database work as functions of the server: their plans are kept by each session also where nobody may
 * prepare a statement under a name, behind a pooler, and planning costs several times what they do. A body that changes gets
 * another number: instances of both versions share the schema while a deployment rolls.
 */
export const functionNames = { claim: "claim_1", finish: "finish_1" } as const;

/** The locks, then what stands there, each in a statement of its own: in one they would share a snapshot older than the locks. */
const claim = `create or replace function @${functionNames.claim}(lock_name bigint, lock_key bigint, idle text, of_name uuid,
    of_key uuid)
  returns table (free int, at numeric, name uuid, key uuid, bound uuid, id uuid, attempt uuid, token int, resumes int,
    print text, version int, state "char", outcome text, effect text, created numeric, ended numeric, leaseleft numeric,
    waitleft numeric, keepsinput int, expired int, boundalive int)
  language plpgsql as $function$
#variable_conflict use_column
begin
  free := case when pg_try_advisory_xact_lock(lock_name)
    and (lock_key is null or pg_try_advisory_xact_lock(lock_key)) then 1 else 0 end;
  at := ${epochMs("clock_timestamp()")};
  if idle is not null and current_setting('idle_in_transaction_session_timeout') = '0' then
    perform set_config('idle_in_transaction_session_timeout', idle, true);
  end if;
  if exists (select 1 from @work w where w.name = of_name) or exists (select 1 from @work w where w.key = of_key) then
    return query select free, at, l.* from (${looking("of_name", "of_key")}) l;
    if found then
      return;
    end if;
  end if;
  return next;
end $function$`;

/** Finished work is written once. It raises where another's stands: a COMMIT that is on its way must not keep both. */
const finish = `create or replace function @${functionNames.finish}(of_name uuid, of_key uuid, print text, print_v int,
    refused int, outcome text, keep_ms float8, operation text, identity text, principal text, caller_key text, owner text,
    parent uuid, intent uuid)
  returns numeric language plpgsql as $function$
declare
  at timestamptz := clock_timestamp();
begin
  insert into @work (created_at, ended_at, keep_until, name, key, print, print_v, state, refused, outcome, operation,
      identity, principal, caller_key, owner, parent, intent)
    values (now(), at, at + keep_ms * interval '1 millisecond', of_name, of_key, decode(print, 'hex'), print_v, 'd',
      refused = 1, outcome, operation, identity, principal, caller_key, owner, parent, intent);
  return ${epochMs("at")};
end $function$`;

export const functions: readonly string[] = [claim, finish];
