/**
 * Makes a value read-only at any depth, so that a reader who changes what all readers share is told at once by a
 * TypeError: plain objects and arrays are frozen (which strict code is told of), and the methods of a Map, a Set or a Date
 * that would change it throw. Returns the same value; a subtree that is frozen already is left as it is, cycles end. It
 * never throws.
 *
 * Not covered: what cannot be frozen or must not be touched. Typed arrays and buffers stay mutable; instances of other
 * classes, and of classes derived from these, are left alone, as they may keep state of their own; so is what a getter
 * would answer, and what lies below an object that was frozen before. `Map.prototype.set.call(map, …)` still changes the
 * map. Declare `clone: true` where a reader must change what it gets.
 *
 * @example
 * const seats = freezeDeep({ left: 3, rows: [{ row: 1 }], held: new Set(["ann"]) });
 * seats.rows.push({ row: 2 }); // TypeError
 * seats.held.add("bob"); // TypeError
 */
export function freezeDeep<T>(value: T): T {
  if (!isFreezable(value)) return value;
  // a list rather than recursion: a value may be deeper than the stack
  const waiting: object[] = [value];
  const enter = (held: unknown): void => {
    if (isFreezable(held)) waiting.push(held);
  };
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    try {
      for (const [name, refusal] of shadowsOf.get(Object.getPrototypeOf(next)) ?? []) {
        Object.defineProperty(next, name, refusal);
      }
      Object.freeze(next);
      if (next instanceof Map || next instanceof Set) {
        for (const [key, held] of next.entries()) {
          enter(key);
          enter(held);
        }
      }
      for (const name of Object.keys(next)) enter(Object.getOwnPropertyDescriptor(next, name)?.value);
    } catch {
      // a proxy may refuse; the rest is frozen all the same
    }
  }
  return value;
}

/**
 * Collections and dates keep what they hold where `Object.freeze` does not reach, and change it by these methods, which an
 * own property hides. They are defined one by one: `defineProperties` takes twice as long, and a value may hold many dates.
 */
const shadowsOf: ReadonlyMap<unknown, readonly (readonly [name: string, refusal: PropertyDescriptor])[]> = new Map(
  [
    { type: Map, changes: /^(?:set|delete|clear|getOrInsert.*)$/ },
    { type: Set, changes: /^(?:add|delete|clear)$/ },
    { type: Date, changes: /^set/ },
  ].map(({ type, changes }) => {
    const names = Object.getOwnPropertyNames(type.prototype).filter((name) => changes.test(name));
    return [type.prototype, names.map((name) => [name, { value: refusalOf(type.name, name) }] as const)];
  }),
);

/** Not enumerable, so that whoever compares, copies or prints the value sees what it holds and nothing else. */
function refusalOf(type: string, name: string): () => never {
  return () => {
    throw new TypeError(
      `${name} would change a ${type} that all readers of a cache share. Change a copy (structuredClone), or declare 'clone: true'.`,
    );
  };
}

function isFreezable(value: unknown): value is object {
  if (typeof value !== "object" || value === null) return false;
  try {
    if (Object.isFrozen(value)) return false;
    if (Array.isArray(value)) return true;
    const prototype: unknown = Object.getPrototypeOf(value);
    return prototype === Object.prototype || prototype === null || shadowsOf.has(prototype);
  } catch {
    return false;
  }
}
