import assert from "node:assert/strict";
import { newAttemptId } from "../base/names.ts";
import type { ClaimedWrite, WriteClaim, WriteJournal } from "../contract/write-journal.ts";

export const queue = "suite";
export const leaseMs = 5_000;
export const pastLeaseMs = leaseMs + 1;

export function range(count: number): readonly number[] {
  return Array.from({ length: count }, (_, index) => index);
}

/** Journals `key: value`, in the order of the arguments, and tells the versions. */
export async function append(writes: WriteJournal, ...pairs: readonly (readonly [string, string])[]) {
  const { versions } = await writes.append({
    queue,
    writes: pairs.map(([key, value]) => ({ key, scope: `scope ${key}`, value })),
    most: 100_000,
  });
  return versions.map((version) => {
    assert.ok(version !== null, "there was no room");
    return version;
  });
}

export interface Claimed extends WriteClaim {
  readonly writes: readonly ClaimedWrite[];
}

export async function claim(writes: WriteJournal, limit = 1_000): Promise<Claimed> {
  const owner = { queue, attempt: newAttemptId() };
  return { ...owner, writes: await writes.claim({ ...owner, leaseMs, limit }) };
}

/** What a claim would take, as `key=value`, without taking it for long. */
export async function claimable(writes: WriteJournal): Promise<readonly string[]> {
  const claimed = await claim(writes);
  await writes.settle(
    claimed,
    claimed.writes.map(({ key }) => ({ key, is: "released" })),
  );
  return claimed.writes.map(({ key, value }) => `${key}=${value}`);
}

export async function applied(writes: WriteJournal, owner: WriteClaim, ...keys: readonly string[]): Promise<number> {
  return writes.settle(
    owner,
    keys.map((key) => ({ key, is: "applied" })),
  );
}

export async function died(writes: WriteJournal, key: string): Promise<number> {
  const [version] = await append(writes, [key, "poison"]);
  assert.equal(await writes.settle(await claim(writes), [{ key, is: "dead", error: "TypeError" }]), 1);
  return version ?? 0;
}
