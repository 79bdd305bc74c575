import { describe, expect, test } from "vitest";
import { decodeNote, encodeNote, Partition } from "../../src/sources/kafka/partition.ts";

describe("a partition", () => {
  test("may be committed up to the first message that is not done, over offsets that are nobody's too", () => {
    const partition = new Partition(0, 5n, 0n);
    for (const offset of [5n, 6n, 9n, 10n]) partition.begin(offset);
    expect(partition.position).toBe(11n);
    expect(partition.end(9n)).toBe(false);
    expect(partition.end(6n)).toBe(false);
    expect(partition.committable).toBe(5n);
    expect(partition.end(5n)).toBe(true);
    expect(partition.committable).toBe(10n);
    expect(partition.end(5n)).toBe(false);
    expect(partition.end(10n)).toBe(true);
    expect(partition.committable).toBe(11n);
  });

  test("keeps the note of its last owner where that is ahead of it", () => {
    expect(new Partition(0, 5n, 9n).noted).toBe(9n);
    expect(new Partition(0, 5n, 2n).noted).toBe(5n);
  });

  test("reads its own notes, and nobody else's", () => {
    expect(decodeNote(encodeNote(12n))).toBe(12n);
    for (const other of [null, "", "12", "reprise", "reprise x"]) expect(decodeNote(other)).toBeNull();
  });
});
