import type { Abortable } from "../base/abortable.ts";
import type { Clock } from "../base/clock.ts";
import type { Ledger } from "../contract/ledger.ts";
import type { OperationDeclaration } from "../operation/declaration.ts";
import type { RuntimeOperation } from "../operation/operations.ts";
import type { TellSchedule } from "./events.ts";

/** What the instance lends to its schedules. */
export interface Host {
  readonly service: string;
  readonly instance: string;
  readonly clock: () => Clock;
  /** The ledger, opened at the first use, and nothing begun in the background. */
  readonly connected: () => Promise<Ledger<unknown> | undefined>;
  /** Declares the operation whose executions are the runs of a schedule's ticks. */
  readonly operation: (declaration: OperationDeclaration) => RuntimeOperation;
  readonly tell: TellSchedule;
  /** Aborted when the instance closes and no longer waits. */
  readonly closing: Abortable;
}
