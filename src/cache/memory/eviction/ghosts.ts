const empty = 0;

/**
 * Which keys were turned away lately, by 32 bits of each in a direct-mapped table: 4 bytes a slot of memory. A ghost
 * lasts until another one needs its room.
 */
export class Ghosts {
  private table = new Int32Array(16);
  private ghosts = 0;

  count(): number {
    return this.ghosts;
  }

  remember(hash: number): void {
    const mark = markOf(hash);
    const index = indexOf(mark, this.table.length);
    if (this.table[index] === empty) this.ghosts += 1;
    this.table[index] = mark;
  }

  /** Whether the key was turned away lately; forgets it. */
  take(hash: number): boolean {
    const mark = markOf(hash);
    const index = indexOf(mark, this.table.length);
    if (this.table[index] !== mark) return false;
    this.table[index] = empty;
    this.ghosts -= 1;
    return true;
  }

  /** Makes the table about as long as memory has entries; in bytes, their number is learnt and may change. */
  fit(entries: number): void {
    if (entries <= 1.5 * this.table.length && entries >= this.table.length / 3) return;
    const marks = this.table.filter((mark) => mark !== empty);
    this.table = new Int32Array(Math.max(entries, 16));
    this.ghosts = 0;
    for (const mark of marks) this.remember(mark);
  }
}

/** Any mark but that of an empty place. */
const markOf = (hash: number) => hash | 0 || 1;

/** The upper bits decide, so a table may have any length. */
const indexOf = (mark: number, length: number) => ((mark >>> 0) * length * 2 ** -32) | 0;
