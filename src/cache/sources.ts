/** What loads read from, and how many of them may at once, whichever cache they are for. */
export interface Source {
  readonly name: string;
  readonly most: number;
  readonly running: () => number;
  readonly waiting: () => number;
  /** Begins now or when another load has left, first come first served. The result takes it out of the queue. */
  readonly enter: (begin: () => void) => () => void;
  /** A load has ended: its loader itself, not only those who waited for it. */
  readonly leave: () => void;
}

/** One place at a source for several loads that are one call to it. */
export interface SharedPlace extends Source {
  /** Begins the loads that entered, and then `call`, as soon as the source has a place for them together. */
  readonly take: (call: () => void) => void;
}

export function createSharedPlace(source: Source): SharedPlace {
  const begins = new Set<() => void>();
  let sharing = 0;
  let isTaken = false;
  let leaveQueue = (): void => {};
  return {
    ...source,
    enter: (begin) => {
      if (isTaken) return source.enter(begin);
      begins.add(begin);
      return () => {
        begins.delete(begin);
        if (begins.size === 0) leaveQueue();
      };
    },
    leave: () => {
      sharing -= 1;
      // the last of them gives the place back, as does one that came alone after them
      if (sharing <= 0) source.leave();
    },
    take: (call) => {
      const begin = () => {
        isTaken = true;
        sharing = begins.size;
        for (const each of begins) each();
        call();
      };
      if (begins.size === 0) return begin();
      const leave = source.enter(begin);
      leaveQueue = () => {
        leave();
        if (!isTaken) begin();
      };
    },
  };
}

export function createSource(name: string, most: number): Source {
  const queue = new Set<() => void>();
  let running = 0;
  return {
    name,
    most,
    running: () => running,
    waiting: () => queue.size,
    enter: (begin) => {
      if (running < most) {
        running += 1;
        begin();
        return () => {};
      }
      queue.add(begin);
      return () => queue.delete(begin);
    },
    leave: () => {
      running -= 1;
      for (const next of queue) {
        queue.delete(next);
        running += 1;
        next();
        return;
      }
    },
  };
}
