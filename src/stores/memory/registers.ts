import { RepriseError } from "../../base/errors.ts";
import type { Register, Registers } from "../../contract/registers.ts";
import { firstVersion } from "../first-version.ts";
import type { Scope } from "./shelf.ts";

/** What an open transaction has written, which nobody else sees. */
interface Written {
  readonly register: Register;
  readonly transaction: object;
}

/** `step`: at once and whole; `scoped`: inside the transaction that the caller holds. */
export function memoryRegisters<Tx>(
  ledger: string,
  step: <T>(doing: string, work: (now: number) => T) => Promise<T>,
  scoped: <T>(tx: Tx, work: (scope: Scope, now: number) => T) => Promise<T>,
): Registers<Tx> {
  const registers = new Map<string, Register>();
  const open = new Map<string, Written>();

  /** `null`: the register is of another version. */
  const next = (
    now: number,
    found: Register | undefined,
    name: string,
    value: string,
    version: number | null,
  ): Register | null =>
    (found?.version ?? null) === version
      ? { name, value, version: version === null ? firstVersion() : version + 1, at: now }
      : null;

  /** Whoever waited here for a transaction could be what that waits for. */
  const refuseOpen = (name: string, transaction?: object): void => {
    const written = open.get(name);
    if (written === undefined || written.transaction === transaction) return;
    throw new RepriseError("REPRISE_LEDGER_BUSY", { ledger, afterMs: 0 });
  };

  const ofPrefix = (prefix: string): readonly Register[] =>
    [...registers.values()].filter(({ name }) => name.startsWith(prefix));

  return {
    read: (name) => step("read register", () => registers.get(name) ?? null),
    replace: (name, value, version) =>
      step("replace register", (now) => {
        refuseOpen(name);
        const written = next(now, registers.get(name), name, value, version);
        if (written !== null) registers.set(name, written);
        return written?.version ?? null;
      }),
    remove: (name, version) =>
      step("remove register", () => {
        refuseOpen(name);
        return registers.get(name)?.version === version && registers.delete(name);
      }),
    list: ({ prefix, after, limit }) =>
      step("list registers", () =>
        ofPrefix(prefix)
          .filter(({ name }) => after === null || inBytes(after, name) < 0)
          .sort((a, b) => inBytes(a.name, b.name))
          .slice(0, limit),
      ),
    sweep: (prefix, keptMs, limit) =>
      step("sweep registers", (now) => {
        const over = ofPrefix(prefix)
          .filter(({ name, at }) => at <= now - keptMs && !open.has(name))
          .slice(0, limit);
        for (const { name } of over) registers.delete(name);
        return over.length;
      }),
    replaceIn: (tx, name, value, version) =>
      scoped(tx, (scope, now) => {
        refuseOpen(name, scope.transaction);
        const before = open.get(name);
        const register = next(now, before?.register ?? registers.get(name), name, value, version);
        if (register === null) return null;
        const written = { register, transaction: scope.transaction };
        open.set(name, written);
        scope.undo.push(() => (before === undefined ? open.delete(name) : open.set(name, before)));
        scope.commit.push(() => {
          // of several writes of one register the last is kept, and what a savepoint undid is not
          if (open.get(name) !== written) return;
          open.delete(name);
          registers.set(name, register);
        });
        return register.version;
      }),
  };
}

function inBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
