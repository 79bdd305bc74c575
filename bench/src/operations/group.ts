import { askChild } from "../child-process.ts";
import type { Figure } from "../figure.ts";
import { parts } from "./parts.ts";
import type { Found } from "./standing.ts";

export interface OperationsOptions {
  /** Few rounds: to see that it runs, not to quote. */
  readonly quick: boolean;
  /** Only the parts whose names begin so. */
  readonly only?: string | undefined;
  readonly progress: (said: string) => void;
  /** What a part has found, as soon as it is measured: the whole takes ten minutes, and may be interrupted. */
  readonly show: (figures: readonly Figure[]) => void;
}

/**
 * Operations beside the same work with a key table written by hand, and beside the work alone, on every database and over
 * HTTP; and beside what others would use. What a server is missing for is left out, and said.
 */
export async function measureOperations({ quick, only = "", progress, show }: OperationsOptions): Promise<void> {
  for (const name of Object.keys(parts).filter((part) => part.startsWith(only))) {
    const began = performance.now();
    const found = (await askChild("operations", [name, quick ? "3" : "15"])) as Found;
    const seconds = ((performance.now() - began) / 1_000).toFixed(0);
    progress(found.skipped === undefined ? `${name}: ${seconds} s` : `${name}: left out, ${found.skipped}`);
    show(found.figures);
  }
}
