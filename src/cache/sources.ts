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
