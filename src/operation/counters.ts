import { createHistogram, type Histogram } from "../base/histogram.ts";

/** What one operation counted since its process started. An execution is counted once, under how it ended. */
export interface OperationCounters {
  /** Executed here and done. */
  ran: number;
  /** Answered from the ledger, done or refused. */
  replayed: number;
  /** Executed here and refused. */
  refused: number;
  /** Told that it will be done. */
  accepted: number;
  /** Told that somebody else is at it. */
  running: number;
  mismatch: number;
  /** Told that an effect's answer is lost. */
  unknown: number;
  /** Rejected: bad input, a run that failed, or the ledger was away. */
  failed: number;
  /** Effects whose two answers differ: they may have happened twice. */
  answeredTwice: number;
  /** Successes with the intent of an earlier one. */
  successTwice: number;
  /** Claims taken over from an owner whose lease was over. */
  takenOver: number;
  /** Executions under way now. */
  underWay: number;
  /** Of executions that ran here, claim to completion. */
  readonly duration: Histogram;
}

export function createOperationCounters(): OperationCounters {
  return {
    ran: 0,
    replayed: 0,
    refused: 0,
    accepted: 0,
    running: 0,
    mismatch: 0,
    unknown: 0,
    failed: 0,
    answeredTwice: 0,
    successTwice: 0,
    takenOver: 0,
    underWay: 0,
    duration: createHistogram(),
  };
}
