import pc from "picocolors";
import { defaults } from "../base/defaults.ts";
import { count, inWords } from "./show-pairs.ts";

/** Says on standard error, from the second moment on, that it still reads. */
export function startProgress(...what: readonly [one: string, many?: string]): {
  readonly tell: (done: number) => void;
  readonly stop: () => void;
} {
  const since = performance.now();
  let done = 0;
  const timer = setInterval(() => {
    process.stderr.write(
      pc.dim(`still reading: ${count(done, ...what)} after ${inWords(performance.now() - since)}\n`),
    );
  }, defaults.audit.tellEveryMs).unref();
  return {
    tell: (read) => {
      done = read;
    },
    stop: () => clearInterval(timer),
  };
}
