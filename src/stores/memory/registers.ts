import type { Register, Registers } from "../../contract/registers.ts";
import type { Scope } from "./shelf.ts";

/** `step`: at once and whole; `scoped`: inside the transaction that the caller holds. */
export function memoryRegisters<Tx>(
  step: <T>(doing: string, work: (now: number) => T) => Promise<T>,
  scoped: <T>(tx: Tx, work: (scope: Scope, now: number) => T) => Promise<T>,
): Registers<Tx> {
  const registers = new Map<string, Register>();

  const replace = (now: number, name: string, value: string, version: number | null): number | null => {
    if ((registers.get(name)?.version ?? null) !== version) return null;
    const next = (version ?? 0) + 1;
    registers.set(name, { name, value, version: next, at: now });
    return next;
  };

  return {
    read: (name) => step("read register", () => registers.get(name) ?? null),
    replace: (name, value, version) => step("replace register", (now) => replace(now, name, value, version)),
    list: ({ prefix, after, limit }) =>
      step("list registers", () =>
        [...registers.values()]
          .filter(({ name }) => name.startsWith(prefix) && (after === null || inBytes(after, name) < 0))
          .sort((a, b) => inBytes(a.name, b.name))
          .slice(0, limit),
      ),
    sweep: (prefix, keptMs, limit) =>
      step("sweep registers", (now) => {
        const over = [...registers.values()]
          .filter(({ name, at }) => name.startsWith(prefix) && at <= now - keptMs)
          .slice(0, limit);
        for (const { name } of over) registers.delete(name);
        return over.length;
      }),
    replaceIn: (tx, name, value, version) =>
      scoped(tx, (scope, now) => {
        const before = registers.get(name);
        const next = replace(now, name, value, version);
        if (next === null) return null;
        scope.undo.push(() => (before === undefined ? registers.delete(name) : registers.set(name, before)));
        return next;
      }),
  };
}

function inBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
