/** What operations tell while they work: names, ids and numbers, never a value. For all else there are counters. */
export type OperationEvents = {
  /**
   * A run succeeded here with the intent of an earlier success under another identity, within the time that is declared.
   * Both stand. `first` and `second` are ids, as `administer` and `reprise operations` take them.
   */
  readonly "operation.succeeded-twice": {
    readonly operation: string;
    readonly first: string;
    readonly second: string;
    readonly apartMs: number;
  };
};

/** Tells an event; it is made only if somebody listens. */
export type TellOperation = <N extends keyof OperationEvents>(name: N, make: () => OperationEvents[N]) => void;
