/**
 * Which keys were turned away lately, by 32 bits of each in a direct-mapped table: 4 bytes a slot of memory. A ghost
 * lasts until another one needs its room.
 */
export interface Ghosts {
  readonly remember: (hash: number) => void;
  /** Whether the key was turned away lately; forgets it. */
  readonly take: (hash: number) => boolean;
  readonly count: () => number;
  /** Makes the table about as long as memory has entries; in bytes, their number is learnt and may change. */
  readonly fit: (entries: number) => void;
}

const empty = 0;

export function createGhosts(): Ghosts {
  let table = new Int32Array(16);
  let count = 0;

  // The upper bits decide: a table of any length, and no key moves much when the length changes.
  const slotOf = (hash: number) => Math.floor(((hash >>> 0) * table.length) / 2 ** 32);
  const markOf = (hash: number) => hash | 0 || 1;
  const put = (mark: number) => {
    const slot = slotOf(mark);
    if (table[slot] === empty) count += 1;
    table[slot] = mark;
  };

  return {
    remember: (hash) => put(markOf(hash)),
    take: (hash) => {
      const slot = slotOf(markOf(hash));
      if (table[slot] !== markOf(hash)) return false;
      table[slot] = empty;
      count -= 1;
      return true;
    },
    count: () => count,
    fit: (entries) => {
      if (entries <= 1.5 * table.length && entries >= table.length / 3) return;
      const marks = table.filter((mark) => mark !== empty);
      table = new Int32Array(Math.max(entries, 16));
      count = 0;
      for (const mark of marks) put(mark);
    },
  };
}
