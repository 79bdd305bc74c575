/** Needs `--expose-gc`. */
export async function collectGarbage(): Promise<void> {
  const collect = globalThis.gc;
  if (collect === undefined) throw new Error("start with --expose-gc");
  for (let round = 0; round < 4; round += 1) {
    // finalizers and weak references are cleared between two collections
    await new Promise((resolve) => setTimeout(resolve, 20));
    collect();
  }
}

/** What the heap holds, and what it holds beside itself in buffers, once the garbage is gone. */
export async function heapBytes(): Promise<number> {
  await collectGarbage();
  // `external` counts the array buffers too
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
