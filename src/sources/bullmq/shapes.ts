/** As much of `bullmq` as the source uses. */
export interface BullmqClasses {
  readonly Worker: new (name: string, processor: null, options: BullmqWorkerOptions) => BullmqWorker;
  readonly Queue: new (name: string, options: BullmqQueueOptions) => BullmqQueue;
}

export interface BullmqQueueOptions {
  /** A client of one of many packages, which BullMQ tells apart itself. */
  connection: never;
  prefix: string;
}

export interface BullmqWorkerOptions extends BullmqQueueOptions {
  autorun: false;
  lockDuration: number;
  stalledInterval: number;
  maxStalledCount: number;
}

export interface BullmqWorker {
  /** `undefined`: none came. */
  getNextJob(token: string, options: { readonly block: boolean }): Promise<BullmqJob | undefined>;
  startStalledCheckTimer(): Promise<void>;
  close(force?: boolean): Promise<void>;
  on(event: "error", listener: (error: Error) => void): unknown;
}

export interface BullmqJob {
  readonly id?: string | undefined;
  readonly data: unknown;
  readonly timestamp: number;
  /** How often it was handed out. */
  readonly attemptsStarted: number;
  readonly finishedOn?: number | undefined;
  readonly failedReason: string;
  opts: object;
  extendLock(token: string, ms: number): Promise<number>;
  moveToCompleted(value: unknown, token: string, fetchNext: boolean): Promise<unknown>;
  moveToFailed(error: Error, token: string, fetchNext: boolean): Promise<unknown>;
  moveToDelayed(at: number, token: string): Promise<unknown>;
  moveToWait(token: string): Promise<unknown>;
  retry(state: "failed", options: { readonly resetAttemptsMade: boolean }): Promise<unknown>;
  remove(): Promise<unknown>;
}

export interface BullmqQueue {
  addBulk(jobs: { readonly name: string; readonly data: unknown; readonly opts: object }[]): Promise<unknown>;
  getJob(id: string): Promise<BullmqJob | undefined>;
  getJobs(types: "failed"[], start: number, end: number, ascending: boolean): Promise<readonly BullmqJob[]>;
  getRanges(types: "failed"[], start: number, end: number, ascending: boolean): Promise<readonly string[]>;
  getJobCounts(...types: ("wait" | "prioritized" | "delayed" | "failed")[]): Promise<Record<string, number>>;
  /** The name of its key. */
  readonly toKey: (type: string) => string;
  close(): Promise<void>;
  on(event: "error", listener: (error: Error) => void): unknown;
}
