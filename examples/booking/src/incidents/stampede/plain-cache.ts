/** Cache-aside as it is usually written: look, and if it is not there or too old, load and store. */
export interface PlainCache<V> {
  readonly get: (key: string, load: () => Promise<V>) => Promise<V>;
  readonly put: (key: string, value: V) => void;
}

export function createPlainCache<V>(lifeMs: number): PlainCache<V> {
  const entries = new Map<string, { readonly value: V; readonly until: number }>();
  const put = (key: string, value: V) => void entries.set(key, { value, until: performance.now() + lifeMs });
  return {
    get: async (key, load) => {
      const entry = entries.get(key);
      if (entry !== undefined && entry.until > performance.now()) return entry.value;
      const value = await load();
      put(key, value);
      return value;
    },
    put,
  };
}
