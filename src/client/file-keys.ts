import { mkdtemp, readdir, readFile, rename, rm, rmdir, unlink } from "node:fs/promises";
import { join, resolve } from "node:path";
import { RepriseError } from "../base/errors.ts";
import { hasCode, makeFolder, removeLeftovers, syncFolder, unlessAbsent, writeDurably } from "../base/files.ts";
import { sha256 } from "../base/names.ts";
import type { IdempotencyKeys, KeptKey } from "./keys.ts";

/**
 * How it is safe without a lock: an intent has a folder of its own, its slot, that holds one file, named after the key.
 * - A slot is made elsewhere, whole and flushed, and renamed into its place. A rename onto a folder that holds something
 *   fails, so of many at once one wins, and a kill leaves all of it or nothing.
 * - A key is deleted by its file's name, so nobody deletes a key that he does not mean. An empty slot is a free one.
 */

interface Kept extends KeptKey {
  /** Version of this form. A new one must read the old ones: work in doubt may wait for weeks. */
  readonly kept: 1;
  /** For whoever looks at the folder; and a slot that does not hold its own intent is damaged. */
  readonly intent: string;
}

/** Each turn that loses has seen somebody else win; so many lost ones are a fault of the file system. */
const turns = 100;
/** A slot takes milliseconds to make. One that is older was left by a kill. */
const leftoverMs = 3_600_000;

/**
 * Keys in a folder of a local disk: they survive SIGKILL and power loss, as far as the disk keeps its word, and may be
 * shared by all processes of one machine. The folder is made when it is first needed.
 *
 * @example
 * const request = createIdempotentFetch({ keys: fileKeys({ folder: "idempotency-keys" }) });
 * @throws REPRISE_KEYS_UNUSABLE, from its methods: a damaged key, a folder that cannot be written
 */
export function fileKeys(options: { readonly folder: string }): IdempotencyKeys {
  // a process that changes its directory keeps its keys
  const folder = resolve(options.folder);
  const making = join(folder, "new");
  const slotOf = (intent: string) => join(folder, sha256(intent).slice(0, 32));
  const fileOf = (key: string) => `${sha256(key).slice(0, 32)}.json`;
  let prepared: Promise<void> | undefined;

  const prepare = async (): Promise<void> => {
    await makeFolder(making);
    await removeLeftovers(making, leftoverMs);
  };
  const ready = (): Promise<void> => {
    prepared ??= prepare().catch((error: unknown) => {
      // the next call tries again
      prepared = undefined;
      throw error;
    });
    return prepared;
  };

  const read = async (intent: string): Promise<KeptKey | null> => {
    const slot = slotOf(intent);
    const names = (await unlessAbsent(readdir(slot))) ?? [];
    const [name] = names;
    if (name === undefined) return null;
    const path = join(slot, name);
    if (names.length > 1) throw damaged(slot);
    const text = await unlessAbsent(readFile(path, "utf8"));
    if (text === null) return null;
    const kept = parse(text);
    if (kept === null || kept.intent !== intent || fileOf(kept.key) !== name) throw damaged(path);
    const { key, print, madeAt } = kept;
    return { key, print, madeAt };
  };

  /** Whether the slot was free. */
  const take = async (intent: string, fresh: KeptKey): Promise<boolean> => {
    const made = await mkdtemp(join(making, "slot-"));
    try {
      await writeDurably(join(made, fileOf(fresh.key)), JSON.stringify({ kept: 1, intent, ...fresh } satisfies Kept));
      await syncFolder(made);
      await rename(made, slotOf(intent));
      return true;
    } catch (error) {
      await rm(made, { recursive: true, force: true });
      if (hasCode(error, "ENOTEMPTY", "EEXIST")) return false;
      throw error;
    }
  };

  const put = async (intent: string, fresh: KeptKey): Promise<KeptKey> => {
    await ready();
    for (let turn = 0; turn < turns; turn += 1) {
      const kept = (await read(intent)) ?? ((await take(intent, fresh)) ? fresh : null);
      if (kept !== null) {
        // also when another process made it: it may not have come so far yet, and the key is sent next
        await syncFolder(folder);
        return kept;
      }
    }
    throw new Error("no turn was won");
  };

  const remove = async (intent: string, key: string | undefined): Promise<void> => {
    const named = key ?? (await read(intent))?.key;
    if (named === undefined) return;
    const slot = slotOf(intent);
    await unlessAbsent(unlink(join(slot, fileOf(named))));
    // fails if somebody has taken the slot again, and then it must stay
    await rmdir(slot).catch(() => undefined);
  };

  const guarded = async <T>(work: Promise<T>): Promise<T> => {
    try {
      return await work;
    } catch (error) {
      if (error instanceof RepriseError) throw error;
      const code = (error as { readonly code?: unknown }).code;
      throw unusable(
        `the folder '${folder}' cannot be used (${typeof code === "string" ? code : "no turn won"})`,
        error,
      );
    }
  };

  return {
    get: (intent) => guarded(read(intent)),
    put: (intent, fresh) => guarded(put(intent, fresh)),
    delete: (intent, key) => guarded(remove(intent, key)),
  };
}

function parse(text: string): Kept | null {
  try {
    const kept = JSON.parse(text) as Partial<Kept> | null;
    const whole =
      kept?.kept === 1 &&
      typeof kept.intent === "string" &&
      typeof kept.key === "string" &&
      typeof kept.print === "string" &&
      typeof kept.madeAt === "number";
    return whole ? (kept as Kept) : null;
  } catch {
    return null;
  }
}

function damaged(path: string): RepriseError {
  return unusable(
    `'${path}' is damaged. Find out what became of its work, and remove it; a new key might repeat what has happened`,
  );
}

function unusable(why: string, cause?: unknown): RepriseError {
  return new RepriseError("REPRISE_KEYS_UNUSABLE", { why }, cause);
}
