import { defaults } from "../base/defaults.ts";
import type { Register, Registers } from "../contract/registers.ts";
import type { WindowCounts } from "./counts.ts";
import {
  decodeCounts,
  decodeRefusal,
  decodeRun,
  decodeToken,
  encodeCounts,
  encodeRefusal,
  encodeRun,
  type RegisterNames,
  type RunRecord,
} from "./record.ts";
import type { LoadRefusal } from "./refusal.ts";

/** A run and the number under which it is kept. */
export interface KeptRun {
  readonly number: number;
  /** Of its register. */
  readonly version: number;
  readonly record: RunRecord;
}

export interface RunPlace {
  readonly number: number;
  /** The version of what points to the last run of the key; `null`: there was none. */
  readonly pointer: number | null;
}

/** A window that is done. */
export interface KeptWindow {
  /** Of its register. */
  readonly name: string;
  readonly index: number;
  readonly counts: WindowCounts;
  /** When it was committed, by the store's clock. */
  readonly at: number;
  /** Of the call that committed it; `null`: it was not written down. */
  readonly token: number | null;
}

/** The runs of one load, kept in registers. What tells which run is which is written under the load's lease alone. */
export class RunBook {
  readonly #registers: Registers<unknown>;
  readonly #names: RegisterNames;

  constructor(registers: Registers<unknown>, names: RegisterNames) {
    this.#registers = registers;
    this.#names = names;
  }

  /** The last run of this key. */
  async find(key: string): Promise<KeptRun | null> {
    const pointer = await this.#registers.read(this.#names.key(key));
    if (pointer === null) return null;
    const number = Number(pointer.value);
    const register = await this.#registers.read(this.#names.run(number));
    const kept = register === null ? null : keptOf(register, number);
    // the number may have gone to another run, if this one was not written down to its end
    return kept?.record.key === key ? kept : null;
  }

  /** Where a run of this key would be kept that begins now. */
  async place(key: string): Promise<RunPlace> {
    const [newest] = await this.#registers.list({ prefix: this.#names.runs, after: null, limit: 1 });
    const pointer = await this.#registers.read(this.#names.key(key));
    return {
      number: newest === undefined ? 1 : this.#names.numberOf(newest.name) + 1,
      pointer: pointer?.version ?? null,
    };
  }

  /** In a transaction that asks for the lease last. `null`: the place is another's by now, and the transaction must not commit. */
  async begin(tx: unknown, { number, pointer }: RunPlace, record: RunRecord): Promise<KeptRun | null> {
    const written = (name: string, value: string, version: number | null) =>
      this.#registers.replaceIn?.(tx, name, value, version);
    const version = await written(this.#names.run(number), encodeRun(record), null);
    if (version === null || version === undefined) return null;
    if ((await written(this.#names.key(record.key), String(number), pointer)) === null) return null;
    return { number, version, record };
  }

  /** False: another has written it meanwhile. */
  async end({ number, version, record }: KeptRun, endedAt: number): Promise<boolean> {
    const written = await this.#registers.replace(this.#names.run(number), encodeRun({ ...record, endedAt }), version);
    return written !== null;
  }

  /** What became of the windows that are done, by index. */
  async done(kept: Pick<KeptRun, "number">): Promise<ReadonlyMap<number, WindowCounts>> {
    return new Map((await this.windows(kept, null)).map(({ index, counts }) => [index, counts]));
  }

  /** Those that are done, by index; only those behind the register of one. */
  async windows({ number }: Pick<KeptRun, "number">, after: string | null): Promise<readonly KeptWindow[]> {
    const prefix = this.#names.windows(number);
    return (await this.#all(prefix, after)).flatMap(({ name, value, at }) => {
      const counts = decodeCounts(value);
      const index = Number(name.slice(prefix.length));
      return counts === null ? [] : [{ name, index, counts, at, token: decodeToken(value) }];
    });
  }

  async windowDone({ number }: KeptRun, index: number): Promise<WindowCounts | null> {
    const register = await this.#registers.read(this.#names.window(number, index));
    return register === null ? null : decodeCounts(register.value);
  }

  /** In the window's own transaction. False: it was done before, and nothing was written. */
  async writeWindow(
    tx: unknown,
    { number }: KeptRun,
    index: number,
    counts: WindowCounts,
    token: number,
  ): Promise<boolean> {
    const written = await this.#registers.replaceIn?.(
      tx,
      this.#names.window(number, index),
      encodeCounts(counts, token),
      null,
    );
    return written !== null && written !== undefined;
  }

  /** Kept for whoever looks later: a run that writes nothing leaves nothing else behind. */
  async refuse(because: readonly LoadRefusal[]): Promise<void> {
    const kept = await this.#registers.read(this.#names.refusal);
    await this.#registers.replace(this.#names.refusal, encodeRefusal(because), kept?.version ?? null);
  }

  /** `null`: none is kept. */
  async refusal(): Promise<{ readonly because: readonly LoadRefusal[]; readonly at: number } | null> {
    const kept = await this.#registers.read(this.#names.refusal);
    const because = kept === null ? null : decodeRefusal(kept.value);
    return kept === null || because === null ? null : { because, at: kept.at };
  }

  async newest(limit: number): Promise<readonly KeptRun[]> {
    const registers = await this.#registers.list({ prefix: this.#names.runs, after: null, limit });
    return registers
      .map((register) => keptOf(register, this.#names.numberOf(register.name)))
      .filter((kept) => kept !== null);
  }

  /** Deletes what is past its keep, some of it: the next run's end goes on. */
  async sweep(): Promise<void> {
    const { keptMs, sweepBatch } = defaults.load;
    await this.#registers.sweep(`${this.#names.load}/`, keptMs, sweepBatch);
  }

  async #all(prefix: string, from: string | null): Promise<readonly Register[]> {
    const all: Register[] = [];
    const limit = defaults.load.page;
    for (let after = from; ; ) {
      const page: readonly Register[] = await this.#registers.list({ prefix, after, limit });
      all.push(...page);
      const last = page.at(-1);
      if (page.length < limit || last === undefined) return all;
      after = last.name;
    }
  }
}

function keptOf({ value, version }: Register, number: number): KeptRun | null {
  const record = decodeRun(value);
  return record === null ? null : { number, version, record };
}
