/**
 * Freezes plain objects and arrays, at any depth, so that a reader who changes what all readers share is told at once:
 * strict code throws a TypeError. Returns the same value; a subtree that is frozen already is left as it is, cycles end.
 * It never throws.
 *
 * Not covered: what `Object.freeze` does not protect or must not touch. Map, Set, Date, typed arrays and buffers stay
 * mutable; instances of classes are left alone, as they may keep state of their own; so is what a getter would answer,
 * and what lies below an object that was frozen before. Declare `clone: true` where a reader must change what it gets.
 *
 * @example
 * const seats = freezeDeep({ left: 3, rows: [{ row: 1 }] });
 * seats.rows.push({ row: 2 }); // TypeError
 */
export function freezeDeep<T>(value: T): T {
  if (!isFreezable(value)) return value;
  // a list rather than recursion: a value may be deeper than the stack
  const waiting: object[] = [value];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    try {
      Object.freeze(next);
      for (const name of Object.keys(next)) {
        const held = Object.getOwnPropertyDescriptor(next, name)?.value;
        if (isFreezable(held)) waiting.push(held);
      }
    } catch {
      // a proxy may refuse; the rest is frozen all the same
    }
  }
  return value;
}

function isFreezable(value: unknown): value is object {
  if (typeof value !== "object" || value === null) return false;
  try {
    if (Object.isFrozen(value)) return false;
    if (Array.isArray(value)) return true;
    const prototype: unknown = Object.getPrototypeOf(value);
    return prototype === Object.prototype || prototype === null;
  } catch {
    return false;
  }
}
