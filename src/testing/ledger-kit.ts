import assert from "node:assert/strict";
import { type Name, nameOf, newAttemptId, newWorkId, sha256, type WorkId } from "../base/names.ts";
import type { AcceptRequest, Claim, ClaimRequest, Fence, Ledger, Won } from "../contract/ledger.ts";
import type { LedgerStage } from "./ledger-adapter.ts";

/** A case before it is bound to an adapter. */
export interface LedgerScenario {
  readonly name: string;
  readonly needs?: readonly ("transactions" | "severalInstances")[];
  readonly run: <Tx>(stage: LedgerStage<Tx>) => Promise<void>;
}

export const leaseMs = 30_000;
export const keepMs = 3_600_000;
/** Past a claim's keep, which a store may lengthen a little. */
export const pastKeepMs = keepMs * 1.02;
export const pastLeaseMs = leaseMs + 1;

export interface WorkOptions {
  readonly key?: string;
  readonly payload?: string;
  readonly principal?: string;
  readonly operation?: string;
  readonly input?: string;
  readonly keepMs?: number;
  readonly resuming?: boolean;
  readonly parent?: Name;
  /** What it is for, in words; two works with the same words have one intent. */
  readonly intent?: string;
}

/** Of each process its own: suites side by side on one server would meet in locks, which know no schema. */
const service = `suite ${newWorkId()}`;

/** A claim of a new attempt, named as operations name their work. */
export function work(identity: string, options: WorkOptions = {}): ClaimRequest {
  const { key, payload = "payload", principal = "ann", operation = "book", input = null } = options;
  return {
    name: nameOf("work", [service, operation, principal, identity]),
    key: key === undefined ? null : nameOf("key", [service, operation, principal, key]),
    print: { version: 1, hash: sha256(payload) },
    keepMs: options.keepMs ?? keepMs,
    leaseMs,
    attempt: newAttemptId(),
    input,
    resuming: options.resuming ?? false,
    about: { operation, identity, principal, key: key ?? null, owner: "suite" },
    parent: options.parent ?? null,
    intent: options.intent === undefined ? null : intentOf(options.intent),
  };
}

export function intentOf(words: string): Name {
  return nameOf("intent", [service, words]);
}

/** Work for later, under a new id. */
export function later(identity: string, options: WorkOptions = {}): AcceptRequest {
  const { name, key, print, keepMs, about, parent, intent } = work(identity, options);
  return { name, key, print, keepMs, about, parent, intent, id: newWorkId(), input: options.input ?? "input" };
}

/** Accepts work; the id that it is known by. */
export async function accepted(ledger: Ledger<unknown>, identity: string, options?: WorkOptions): Promise<WorkId> {
  const request = later(identity, options);
  const answer = await ledger.accept(request);
  assert.ok(answer.is === "accepted" && answer.isNew && answer.id === request.id);
  return answer.id;
}

export function won(claim: Claim): Won {
  assert.equal(claim.is, "won");
  return claim as Won;
}

export async function claimed(ledger: Ledger<unknown>, identity: string, options?: WorkOptions): Promise<Won> {
  return won(await ledger.claim(work(identity, options)));
}

export async function completed(
  ledger: Ledger<unknown>,
  fence: Fence,
  outcome = "outcome",
  visited: readonly string[] = [],
): Promise<void> {
  assert.equal(await ledger.complete(fence, { outcome, refused: false, keepMs, visited }), "done");
}

/** Claims and completes. */
export async function done(ledger: Ledger<unknown>, identity: string, options?: WorkOptions): Promise<Won> {
  const claim = await claimed(ledger, identity, options);
  await completed(ledger, claim.fence);
  return claim;
}

/** Two owners of one work: the first lost its lease and does not know it. */
export async function takenOver<Tx>(stage: LedgerStage<Tx>, identity: string, options?: WorkOptions) {
  const zombie = await claimed(stage.ledger, identity, options);
  await stage.passTime(pastLeaseMs);
  const owner = await claimed(stage.ledger, identity, options);
  return { zombie: zombie.fence, owner: owner.fence, claim: owner };
}

export const effect = (name: string, settleMs = 1_000) => ({ effect: name, settleMs });

export function tally(answers: readonly { readonly is: string }[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const { is } of answers) counts[is] = (counts[is] ?? 0) + 1;
  return counts;
}

export function pick<T>(list: readonly T[], index: number): T {
  const item = list[index % list.length];
  assert.ok(item !== undefined);
  return item;
}
