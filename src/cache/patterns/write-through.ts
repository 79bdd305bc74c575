import type { Clock } from "../../base/clock.ts";
import { RepriseError } from "../../base/errors.ts";
import { withDeadline } from "../../base/promise.ts";
import type { Accepted } from "../accept.ts";
import type { CacheCore } from "../core.ts";
import type { Scope } from "../key.ts";
import type { Cache, WritableCache } from "../surface.ts";

type Write = (scope: never, value: never, context: { readonly signal: AbortSignal }) => Promise<void>;

/**
 * The writers' rule: announce (the entry goes, and every load's permission), write the source, store only if nothing else
 * touched the scope from beginning to end. A write that nobody waits for any more stays announced until its own promise
 * has settled: until then it may still arrive, and what is loaded meanwhile may be what it is about to replace.
 */
export function createWriteThrough(
  core: CacheCore,
  reads: Cache<Scope, unknown>,
  options: {
    readonly write: Write;
    readonly hardMs: number;
    readonly clock: () => Clock;
    readonly outside: <R>(work: () => R) => R;
    readonly used: () => void;
  },
): WritableCache<Scope, unknown> {
  const { write, hardMs, clock } = options;
  const send = (scope: Scope, accepted: Accepted): Promise<void> => {
    const controller = new AbortController();
    const writing = core.announce(scope);
    const written = options.outside(async () =>
      write(scope as never, accepted.value as never, { signal: controller.signal }),
    );
    const settled = written.then(
      () => writing.arrived(accepted),
      (error: unknown) => {
        writing.failed();
        throw error;
      },
    );
    return withDeadline(clock(), hardMs, settled, () => {
      const late = new RepriseError("REPRISE_WRITE_TIMEOUT", { cache: core.name, afterMs: hardMs });
      controller.abort(late);
      return late;
    });
  };
  return {
    ...reads,
    write: async (scope, value) => {
      if (core.isClosed()) throw new RepriseError("REPRISE_CLOSED", { service: core.name });
      const checked = core.keys.scope(core.keys.check(scope));
      options.used();
      await send(checked, core.admit(value));
    },
  };
}
