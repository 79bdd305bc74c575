import type { Clock } from "../../base/clock.ts";
import { untilAborted } from "../../base/promise.ts";
import type { CacheCore } from "../core.ts";
import type { CacheDeclaration, LoadMany } from "../declaration.ts";
import type { Load } from "../flights.ts";
import { encodeKey, type Scope } from "../key.ts";
import type { PendingWrite } from "../loader.ts";
import type { Cache, WriteBehindCache } from "../surface.ts";
import { createWriteBehind, type JournalOf, type WriteBehind } from "../write/queue.ts";

export interface WriteBehindOptions {
  readonly declaration: CacheDeclaration;
  /** The journal's name for this cache's writes: no other service's. */
  readonly queue: string;
  readonly clock: () => Clock;
  readonly outside: <R>(work: () => R) => R;
  readonly used: () => void;
  /** `undefined`: there is no ledger, so none beside it. */
  readonly journal: JournalOf | undefined;
  readonly reads: (load: Load, loadMany: LoadMany | undefined) => Cache<Scope, unknown>;
}

/**
 * A load takes its permission, then asks the journal, then the source: what was acknowledged and has not arrived yet is
 * newer than the source. A write that is acknowledged between the two takes the permission away, so what the load read
 * is not stored.
 */
export function createWriteBehindCache(
  core: CacheCore,
  options: WriteBehindOptions,
): { readonly cache: WriteBehindCache<Scope, unknown>; readonly writes: WriteBehind } {
  const { declaration, clock, outside, journal } = options;
  const { load, ifLost, writeMany } = declaration;
  const writes = createWriteBehind({
    cache: core.name,
    queue: options.queue,
    journal: ifLost === "never" ? journal : undefined,
    acceptLoss: ifLost === "never" ? undefined : ifLost?.accept,
    writeMany: (batch, context) => outside(async () => writeMany?.(batch as never[], context)),
    changed: (scope) => core.changeMatching("purge", scope),
    clock,
  });
  const keyOf = (scope: Scope): string => encodeKey(core.keys.check(scope));

  const pendingOf = async (scope: Scope): Promise<PendingWrite | undefined> => {
    const pending = await writes.pending(keyOf(scope));
    return pending === undefined ? undefined : { "~pending": pending.value };
  };
  const { loadMany } = declaration;
  const reads = options.reads(
    async (scope, context) => (await pendingOf(scope)) ?? (load as Load)(scope, context),
    loadMany &&
      (async (scopes, context) => {
        const pending = await Promise.all(scopes.map(pendingOf));
        const asked = scopes.filter((_, at) => pending[at] === undefined);
        const found = asked.length === 0 ? [] : await loadMany(asked, context);
        // not one answer for each question: whoever called tells so
        if (!Array.isArray(found) || found.length !== asked.length) return found;
        const answers = found.values();
        return pending.map((one) => one ?? answers.next().value);
      }),
  );
  return {
    writes,
    cache: {
      ...reads,
      write: async (scope, value, writeOptions) => {
        const parts = core.keys.check(scope);
        // the caller may use its object for another scope while the write is journalled
        const checked = core.keys.scope(parts);
        options.used();
        const kept = core.admit(value);
        await writes.write(encodeKey(parts), checked, kept.value, writeOptions?.signal);
        core.written(checked, kept);
      },
      flush: (flushOptions) => untilAborted(writes.flush(), flushOptions?.signal),
      dead: writes.dead,
      requeue: writes.requeue,
      discard: writes.discard,
    },
  };
}
