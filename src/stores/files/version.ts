import { open, stat } from "node:fs/promises";
import { hasCode } from "../../base/files.ts";

/**
 * A file that is replaced, never written into, is one version, and its number and the instant of its last write name it. A
 * number is used again, so the instants of a blob's versions must grow.
 */
export interface Version {
  readonly bytes: Uint8Array;
  readonly token: string;
  readonly mtimeNs: bigint;
}

/** `null`: there is no file. */
export async function readVersion(path: string): Promise<Version | null> {
  return unlessNoFile(async () => {
    const file = await open(path, "r");
    try {
      // by the open file, which stays the same one while another takes its place
      const stats = await file.stat({ bigint: true });
      if (!stats.isFile()) return null;
      const read = await file.readFile();
      return { bytes: new Uint8Array(read.buffer, read.byteOffset, read.byteLength), ...named(stats) };
    } finally {
      await file.close();
    }
  });
}

/** `null`: there is no file. */
export async function tokenAt(path: string): Promise<string | null> {
  return unlessNoFile(async () => {
    const stats = await stat(path, { bigint: true });
    return stats.isFile() ? named(stats).token : null;
  });
}

/** Makes the file's instant later than `than` where the system's clock has not moved, or moved back. Tells its token. */
export async function makeLater(path: string, than: bigint): Promise<string> {
  const file = await open(path, "r+");
  try {
    let stats = await file.stat({ bigint: true });
    // file systems keep from nanoseconds to two seconds
    for (let step = 10_000n; stats.mtimeNs <= than; step *= 10n) {
      const seconds = Number(than + step) / 1e9;
      await file.utimes(seconds, seconds);
      await file.sync();
      stats = await file.stat({ bigint: true });
    }
    return named(stats).token;
  } finally {
    await file.close();
  }
}

function named({ ino, mtimeNs }: { readonly ino: bigint; readonly mtimeNs: bigint }) {
  return { token: `${mtimeNs.toString(36)}.${ino.toString(36)}`, mtimeNs };
}

async function unlessNoFile<T>(work: () => Promise<T | null>): Promise<T | null> {
  try {
    return await work();
  } catch (error) {
    // the latter where the name goes on below another file
    if (hasCode(error, "ENOENT", "ENOTDIR")) return null;
    throw error;
  }
}
