import { sha256 } from "../base/names.ts";
import type { CacheDeclaration } from "../cache/declaration.ts";
import type { ConsumeDeclaration } from "../consume/declaration.ts";
import type { OperationDeclaration } from "../operation/declaration.ts";
import type { AnyOutboxDeclaration } from "../outbox/declaration.ts";
import type { ScheduleDeclaration } from "../schedule/declaration.ts";
import type { Inside } from "./inside.ts";

/**
 * Seven digits that differ when what is declared differs. Only the answers count: functions and schemas are no part of
 * it, so two builds of the same decisions are the same, and a schema that JSON cannot hold (a bigint, a cycle) costs
 * nobody a start.
 */
export function declaredOf(inside: Inside): string {
  const caches = inside.caches().map(({ declaration }) => writtenOnce(declaration, writtenCache));
  const operations = inside.operations().map(({ declaration }) => writtenOnce(declaration, writtenOperation));
  const schedules = inside.schedules().map(({ declaration }) => writtenOnce(declaration, writtenSchedule));
  const consumers = inside.consumers().map(({ declaration }) => writtenOnce(declaration, writtenConsumer));
  const outboxes = inside.outboxes().map(({ declaration }) => writtenOnce(declaration, writtenOutbox));
  return sha256([...caches, ...operations, ...schedules, ...consumers, ...outboxes].join("\n")).slice(0, 7);
}

/** A declaration never changes, and this is asked for with each entry of the journal. */
const known = new WeakMap<object, string>();

function writtenOnce<D extends object>(declaration: D, write: (declaration: D) => readonly unknown[]): string {
  const before = known.get(declaration);
  if (before !== undefined) return before;
  const text = JSON.stringify(write(declaration).map(written));
  known.set(declaration, text);
  return text;
}

/** What is no scalar is written by its kind alone: nothing that a declaration holds may throw here. */
function written(value: unknown): string {
  return typeof value === "object" || typeof value === "function" ? typeof value : String(value);
}

function writtenCache(declaration: CacheDeclaration): readonly unknown[] {
  const { pattern, name, owner, holds, ifStale, freshFor, staleFor, absentFor, jitter } = declaration;
  const { refresh, deadline, queue, source, early, protect, clone, ifLost } = declaration;
  return [
    ...["cache", pattern, name, owner, holds, ifStale, freshFor, staleFor, absentFor, jitter],
    ...[refresh?.hottest, refresh?.every, deadline?.soft, deadline?.hard, queue?.most, queue?.then],
    ...[source, early, protect, clone, declaration.loadMany !== undefined],
    typeof ifLost === "object" ? ifLost.accept : ifLost,
    ...["scope", ...declaration.scope, "same for every", ...(declaration.sameForEvery ?? [])],
  ];
}

/** Beside what the operation of its name tells. */
function writtenSchedule(declaration: ScheduleDeclaration): readonly unknown[] {
  const { name, at, timeZone, every, ifStillRunning, ifMissed, atOnce } = declaration;
  const missed = ifMissed === "skip" ? [ifMissed] : [ifMissed.run, ifMissed.within];
  const atMost = ifMissed !== "skip" && ifMissed.run === "every" ? ifMissed.atMost : undefined;
  return ["schedule", name, at, timeZone, every, ifStillRunning, ...missed, atMost, atOnce];
}

function writtenConsumer({ operation, source, options }: ConsumeDeclaration): readonly unknown[] {
  const { deliveredWithin, atOnce, inOrderBy, key, attempts, retryIn = [], refusals } = options;
  return [
    ...["consumer", source.name, operation.name, deliveredWithin, atOnce, inOrderBy !== undefined, key !== undefined],
    ...[attempts, refusals, ...retryIn],
  ];
}

function writtenOutbox({ name, to, limit, lease }: AnyOutboxDeclaration): readonly unknown[] {
  return ["outbox", name, to?.name, limit, lease];
}

function writtenOperation(declaration: OperationDeclaration): readonly unknown[] {
  const { name, owner, effects, ifRunsAgain, costIfTwice, principal, identity } = declaration;
  const { retention, lease, resumes, abandonAfter, outcomeLimit, refusals = {} } = declaration;
  return [
    ...["operation", name, owner, effects, ifRunsAgain, costIfTwice, principal, identity],
    ...[retention, lease, resumes, abandonAfter, outcomeLimit],
    ...Object.entries(refusals).flatMap(([code, { status, because }]) => [code, status, because]),
  ];
}
