import { RepriseError } from "../base/errors.ts";
import type { LoadMany } from "./declaration.ts";
import type { Load } from "./flights.ts";
import { createSharedPlace, type Source } from "./sources.ts";

/** One call of `loadMany` for the loads that one `getMany` begins. */
export interface Batch {
  /** In the place of the single loader: collects until `send`, and loads alone what begins later. */
  readonly load: Load;
  readonly send: () => void;
}

interface Waiting {
  readonly scope: unknown;
  readonly signal: AbortSignal;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

export interface BatchOptions {
  readonly cache: string;
  readonly loadMany: LoadMany;
  /** Loads one. */
  readonly alone: Load;
  /** The call takes one place at it, however many it is for. */
  readonly source: Source | undefined;
  /** Calls the bulk loader in no caller's async context, such that a leak of an ambient dimension is noticed. */
  readonly around: (call: () => Promise<readonly unknown[]>) => Promise<readonly unknown[]>;
}

export function createBatch({ cache, loadMany, alone, source, around }: BatchOptions): Batch {
  const place = source === undefined ? undefined : createSharedPlace(source);
  let collecting: Waiting[] | undefined = [];

  const loadAll = async (waiting: readonly Waiting[]): Promise<void> => {
    const controller = new AbortController();
    let left = waiting.length;
    const ended = () => {
      left -= 1;
      // as long as one of them is waited for, the call goes on
      if (left === 0) controller.abort(waiting.at(-1)?.signal.reason);
    };
    for (const { signal } of waiting) signal.addEventListener("abort", ended, { once: true });
    const scopes = waiting.map(({ scope }) => scope) as never[];
    const results = await around(async () => loadMany(scopes, { signal: controller.signal }));
    if (!Array.isArray(results) || results.length !== waiting.length) {
      throw new RepriseError("REPRISE_BATCH_AMISS", { cache, asked: waiting.length });
    }
    for (const [place, { resolve, reject }] of waiting.entries()) {
      const result = results[place];
      if (result instanceof Error) reject(result);
      else resolve(result);
    }
  };

  const load: Load = (scope, context) => {
    if (collecting === undefined) return alone(scope, context);
    const waiting = collecting;
    return new Promise((resolve, reject) => waiting.push({ scope, signal: context.signal, resolve, reject }));
  };
  const call = (): void => {
    const waiting = collecting ?? [];
    collecting = undefined;
    if (waiting.length === 0) return;
    loadAll(waiting).catch((error: unknown) => {
      for (const { reject } of waiting) reject(error);
    });
  };
  return {
    load: Object.assign(load, { source: place }),
    send: () => (place === undefined ? call() : place.take(call)),
  };
}
