import { readdir, rename, unlink } from "node:fs/promises";
import { join } from "node:path";
import { systemClock } from "../../base/clock.ts";
import { defaults } from "../../base/defaults.ts";
import { hasCode, unlessAbsent } from "../../base/files.ts";
import { pause } from "../../base/promise.ts";

/**
 * Renames `folder`, which holds one file, to `slot`, which then is its owner's. False: before that, `goesOn` said no.
 *
 * Who holds a slot does so for milliseconds. A file that is seen there for longer is removed by its name, so that nobody
 * takes a slot from one whom he has not seen. No clock is compared with another's.
 */
export async function takeSlot(
  folder: string,
  slot: string,
  goesOn: () => Promise<boolean>,
  signal: AbortSignal,
): Promise<boolean> {
  let seen: string | undefined;
  let since = 0;
  while (!(await renamed(folder, slot))) {
    if (!(await goesOn())) return false;
    const [file] = (await unlessAbsent(readdir(slot))) ?? [];
    const now = systemClock.monotonic();
    if (file !== seen) {
      seen = file;
      since = now;
    } else if (file !== undefined && now - since >= defaults.blobs.slotMs) {
      await unlessAbsent(unlink(join(slot, file)));
    }
    await pause(systemClock, defaults.blobs.slotLookMs, signal);
  }
  return true;
}

/** A rename onto a folder that holds something fails. */
async function renamed(folder: string, slot: string): Promise<boolean> {
  try {
    await rename(folder, slot);
    return true;
  } catch (error) {
    if (hasCode(error, "ENOTEMPTY", "EEXIST")) return false;
    throw error;
  }
}
