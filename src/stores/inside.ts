/** A level of a transaction, which may have a run inside it: one at a time, under a savepoint. */
export interface Enclosing {
  /** While one is under way. */
  inside: Promise<unknown> | undefined;
}

export async function runInside<T>(outer: Enclosing, work: () => Promise<T>): Promise<T> {
  // begun when everybody sees that it is there
  const inside = Promise.resolve().then(work);
  outer.inside = inside;
  try {
    return await inside;
  } finally {
    outer.inside = undefined;
  }
}

/**
 * What `work` came to, when nothing inside it is under way any more: a statement that is sent after the end of its transaction
 * lands in the next one of the same connection, which is somebody else's. Where work ended well and had not awaited what was
 * inside, nothing of it is to be kept, and `unawaited` is thrown.
 */
export async function leaveWhole<T>(outer: Enclosing, work: Promise<T>, unawaited: () => Error): Promise<T> {
  let value: T;
  try {
    value = await work;
  } catch (error) {
    await outer.inside?.catch(() => {});
    throw error;
  }
  if (outer.inside === undefined) return value;
  await outer.inside.catch(() => {});
  throw unawaited();
}
