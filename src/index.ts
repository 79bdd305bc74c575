/**
 * Reprise makes production backends safe to run again: cached reads and repeated operations.
 *
 * @module
 */
export { type Clock, systemClock } from "./base/clock.ts";
export type { Config, Dimensions } from "./base/config.ts";
export type { Duration } from "./base/duration.ts";
export { type ErrorCode, errorCodes, isRepriseError, RepriseError } from "./base/errors.ts";
export type { Scalar } from "./base/scalar.ts";
export { type Schema, unchecked } from "./base/schema.ts";
export type { Size } from "./base/size.ts";
export { type Change, type ChangeVerb, outcomeOf } from "./cache/change.ts";
export type { RefreshPlan } from "./cache/declaration.ts";
export type { CacheEvents } from "./cache/events.ts";
export type { Explanation } from "./cache/explain.ts";
export type { AmbientContext } from "./cache/guard/context.ts";
export {
  type About,
  type Cacheable,
  type LoadContext,
  type Loaded,
  type Loader,
  loaded,
  type NeverCached,
  type NotModified,
  notModified,
} from "./cache/loader.ts";
export type { Eviction } from "./cache/memory/memory.ts";
export type {
  AsideCache,
  Cache,
  DeadWrite,
  Entry,
  Found,
  Miss,
  Reader,
  ReadOptions,
  Settled,
  WritableCache,
  WriteBehindCache,
} from "./cache/surface.ts";
export type { ConsumeCounts } from "./consume/counters.ts";
export type { ConsumeOptions, Consumer, RedriveCounts, RedriveOptions } from "./consume/declaration.ts";
export type * from "./contract/blob-store.ts";
export type * from "./contract/journal.ts";
export type { Acquired, Grip, Held, LeaseRequest, LeaseStanding, LeaseStore } from "./contract/lease.ts";
export type * from "./contract/ledger.ts";
export type {
  DeadLetter,
  DeadLetterReason,
  DeadLetters,
  Delivery,
  Receiver,
  Settlement,
  Source,
  SourceStanding,
} from "./contract/source.ts";
export type { Answer, CallerAnswer, CallerContract, Decided } from "./decisions/decided.ts";
export type { FencedHold, Hold, HoldOptions, HoldOutcome, LeaseDeclaration, NamedLease } from "./lease/surface.ts";
export type { LoadCounts, LostCounts, WindowCounts } from "./load/counts.ts";
export type { LoadSource, LoadWindows, LostRule, WindowStep } from "./load/declaration.ts";
export type { Comparison, ListedKey } from "./load/dialect.ts";
export type { LoadRefusal, LoadRefusalReason } from "./load/refusal.ts";
export type * from "./load/surface.ts";
export type { Anchor, AnchoredTransaction, AnchorOptions } from "./operation/anchor.ts";
export type { Carried } from "./operation/carry.ts";
export type {
  DatabaseRun,
  Dispatch,
  Effect,
  ExternalRun,
  Pinned,
  PinnedOptions,
  RefusalDeclaration,
  Refusals,
} from "./operation/declaration.ts";
export type { OperationEvents } from "./operation/events.ts";
export {
  type AcceptedOutcome,
  type Cancelled,
  type DoneOutcome,
  type Outcome,
  Refusal,
  type Refused,
  type Status,
} from "./operation/outcome.ts";
export type {
  Background,
  ExecuteOptions,
  Joins,
  JoinsLater,
  Operation,
  Outcomes,
  Provisional,
} from "./operation/surface.ts";
export type { MemoryOptions, RepriseOptions, StartOptions } from "./options.ts";
export { createReprise, type Reprise } from "./reprise.ts";
export type { Each, IfMissed, IfStillRunning, Look, ScheduleRun, Tick } from "./schedule/declaration.ts";
export type { ScheduleEvents } from "./schedule/events.ts";
export type {
  HeldElsewhere,
  Paused,
  RecordCounts,
  RunningTick,
  Schedule,
  Standing,
  TickEnd,
  TickResult,
} from "./schedule/surface.ts";
