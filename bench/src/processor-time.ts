import { readFileSync } from "node:fs";

const path = `/proc/self/task/${process.pid}/schedstat`;

/**
 * Nanoseconds that this thread has spent on a processor, so that a machine that is busy otherwise does not count. Where
 * the system does not tell them, the time that passed.
 */
export function processorTime(): number {
  // the kernel brings the thread's account up to date when it is asked for the process's
  process.cpuUsage();
  try {
    return Number(readFileSync(path, "latin1").split(" ", 1)[0]);
  } catch {
    return Number(process.hrtime.bigint());
  }
}
