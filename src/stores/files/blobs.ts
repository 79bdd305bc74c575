import { link, mkdir, rename, rm, rmdir, stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { isSameBytes } from "../../base/bytes.ts";
import { defaults } from "../../base/defaults.ts";
import { type Duration, milliseconds } from "../../base/duration.ts";
import { RepriseError } from "../../base/errors.ts";
import { hasCode, makeFolder, removeLeftovers, syncFolder, unlessAbsent, writeDurably } from "../../base/files.ts";
import { newAttemptId, sha256 } from "../../base/names.ts";
import { checkBlobName, makersFolder } from "../../contract/blob-name.ts";
import type { BlobStore, PutIfAbsent, PutIfToken } from "../../contract/blob-store.ts";
import { calling } from "../calling.ts";
import { takeSlot } from "./slot.ts";
import { makeLater, readVersion, tokenAt, type Version } from "./version.ts";

/**
 * How it is safe between processes, killed ones and paused ones too:
 * - A file is never written where it lies. It is made elsewhere, whole and flushed, and then linked or renamed into place.
 * - `putIfAbsent` links, which fails where there is a file: of many at once one wins.
 * - `putIfToken` first takes the blob's slot, a folder that holds its new file: a rename onto a folder that holds something
 *   fails, so one has it. Then it compares, and then it renames that very file out of the slot onto the blob, which frees
 *   the slot. Whoever waits too long for a slot removes the file in it by its name: an owner that was only paused then has
 *   nothing to rename. So what it compared still holds when it writes, however long ago that was.
 */

export interface FileBlobsOptions {
  /** Of a local disk. It is made when it is first needed; a blob is a file in it, at the path that is its name. */
  readonly directory: string;
  /** How long one call may take. Default: `"30s"`. */
  readonly deadline?: Duration | undefined;
}

const store = "files";

/**
 * Blobs as files in a directory, shared by all processes of a machine, and durable once they are acknowledged: they survive
 * SIGKILL and power loss, as far as the disk keeps its word. It needs a file system with hard links. Names that the file
 * system takes for one, as some do that differ in case only, are one blob. Other programs may read the files, and replace
 * them by renaming; who writes into one breaks what is promised to its readers.
 *
 * @example
 * const blobs = fileBlobs({ directory: "prices" });
 * await blobs.putIfAbsent("customers/42.json", new TextEncoder().encode("{}"));
 * @throws REPRISE_BAD_DURATION; from its methods, REPRISE_BAD_DECLARATION also for a name below another blob
 */
export function fileBlobs({ directory, deadline }: FileBlobsOptions): BlobStore {
  const deadlineMs =
    deadline === undefined ? defaults.blobs.deadlineMs : milliseconds(deadline, "fileBlobs({ deadline })");
  // a process that changes its directory keeps its blobs
  const root = resolve(directory);
  const making = join(root, makersFolder, "new");
  const slots = join(root, makersFolder, "slots");
  let prepared: Promise<void> | undefined;

  const ready = (): Promise<void> => {
    prepared ??= prepare().catch((error: unknown) => {
      // the next call tries again
      prepared = undefined;
      throw error;
    });
    return prepared;
  };
  const prepare = async (): Promise<void> => {
    await makeFolder(making);
    await makeFolder(slots);
    await removeLeftovers(making, defaults.blobs.leftoverMs);
  };

  /** What has been told about a name must not be lost with the power: neither the file's entry nor its folders'. */
  const keep = async (path: string): Promise<void> => {
    for (let folder = dirname(path); folder.length >= root.length; folder = dirname(folder)) await syncFolder(folder);
  };
  const compared = async (path: string, there: Version, bytes: Uint8Array) => {
    // another may have written it, and not have come so far yet
    await keep(path);
    return { is: isSameBytes(there.bytes, bytes) ? "same" : "differs", token: there.token } as const;
  };

  const putIfAbsent = async (path: string, bytes: Uint8Array, signal: AbortSignal): Promise<PutIfAbsent> => {
    const before = await readVersion(path);
    if (before !== null) return compared(path, before, bytes);
    await ready();
    const made = join(making, newAttemptId());
    try {
      await writeDurably(made, bytes);
      await makeFolder(dirname(path));
      const token = await tokenAt(made);
      if (token === null) throw new Error("somebody removed the file that was made");
      // ends at the deadline, should somebody delete the blob each time before it is read
      for (;;) {
        signal.throwIfAborted();
        if (await linked(made, path)) {
          await keep(path);
          return { is: "put", token };
        }
        const there = await readVersion(path);
        if (there !== null) return compared(path, there, bytes);
        if (await isFolder(path)) throw nested();
      }
    } catch (error) {
      if (hasCode(error, "ENOENT")) prepared = undefined;
      throw hasCode(error, "ENOTDIR", "EEXIST") ? nested() : error;
    } finally {
      await rm(made, { force: true });
    }
  };

  const putIfToken = async (
    path: string,
    bytes: Uint8Array,
    token: string,
    signal: AbortSignal,
  ): Promise<PutIfToken> => {
    for (;;) {
      signal.throwIfAborted();
      const there = await readVersion(path);
      if (there === null) return { is: "differs", token: null };
      if (there.token !== token) return compared(path, there, bytes);
      const written = await replace(path, bytes, there, signal);
      if (written !== null) {
        await keep(path);
        return { is: "put", token: written };
      }
    }
  };

  /** `null`: another has replaced this version, or may have: look again. */
  const replace = async (path: string, bytes: Uint8Array, there: Version, signal: AbortSignal) => {
    await ready();
    const slot = join(slots, sha256(path.slice(root.length)).slice(0, 32));
    const file = newAttemptId();
    const ours = join(slot, file);
    const isStill = async () => (await tokenAt(path)) === there.token;
    const made = join(making, file);
    try {
      await mkdir(made, 0o700);
      await writeDurably(join(made, file), bytes);
      if (!(await takeSlot(made, slot, isStill, signal))) return null;
      // from here on nobody else replaces it unless our file is removed first, and then the rename fails
      if (!(await isStill())) return null;
      const token = await makeLater(ours, there.mtimeNs);
      signal.throwIfAborted();
      await rename(ours, path);
      return token;
    } catch (error) {
      if (!hasCode(error, "ENOENT")) throw error;
      // another emptied the slot, or somebody removed the folders
      prepared = undefined;
      return null;
    } finally {
      await rm(made, { recursive: true, force: true });
      await rm(ours, { force: true });
      // fails if somebody has taken the slot again, and then it must stay
      await rmdir(slot).catch(() => undefined);
    }
  };

  const call = async <T>(
    doing: string,
    name: string,
    signal: AbortSignal | undefined,
    work: (path: string, signal: AbortSignal) => Promise<T>,
  ): Promise<T> => {
    checkBlobName(name);
    const away = (why: string, cause?: Error) =>
      new RepriseError("REPRISE_BLOBS_AWAY", { store, doing: `${doing}, ${why}` }, cause);
    return calling({ deadlineMs, signal, away }, (stop) => work(join(root, name), stop));
  };

  return {
    name: store,
    read: (name, signal) =>
      call("read", name, signal, async (path) => {
        const there = await readVersion(path);
        return there && { bytes: there.bytes, token: there.token };
      }),
    putIfAbsent: (name, bytes, signal) =>
      call("putIfAbsent", name, signal, (path, stop) => putIfAbsent(path, bytes, stop)),
    putIfToken: (name, bytes, token, signal) =>
      call("putIfToken", name, signal, (path, stop) => putIfToken(path, bytes, token, stop)),
  };
}

/** False: there is something already. */
async function linked(made: string, path: string): Promise<boolean> {
  try {
    await link(made, path);
    return true;
  } catch (error) {
    if (hasCode(error, "EEXIST")) return false;
    throw error;
  }
}

async function isFolder(path: string): Promise<boolean> {
  return (await unlessAbsent(stat(path)))?.isDirectory() === true;
}

function nested(): RepriseError {
  return new RepriseError("REPRISE_BAD_DECLARATION", {
    where: "The name of a blob",
    why: "A part of it names a blob, or another blob's name goes on below it, and a file is no folder; nothing was written.",
    mend: "Give each kind of blob a folder of its own.",
  });
}
