import { askChild } from "../child-process.ts";
import type { Figure } from "../figure.ts";
import type { Found } from "../operations/standing.ts";
import { parts } from "./parts.ts";

export interface JobsOptions {
  /** Fewer rows, and a round or two: to see that it runs, not to quote. */
  readonly quick: boolean;
  /** Only the parts whose names begin so. */
  readonly only?: string | undefined;
  readonly progress: (said: string) => void;
  readonly show: (figures: readonly Figure[]) => void;
}

/** SQL jobs and scheduled workers, beside what somebody would write by hand. What a server is missing for is left out, and said. */
export async function measureJobs({ quick, only = "", progress, show }: JobsOptions): Promise<void> {
  for (const name of Object.keys(parts).filter((part) => part.startsWith(only))) {
    const began = performance.now();
    const found = (await askChild("jobs", [name, quick ? "quick" : "whole"], { withinMs: 3_600_000 })) as Found;
    const seconds = ((performance.now() - began) / 1_000).toFixed(0);
    progress(found.skipped === undefined ? `${name}: ${seconds} s` : `${name}: left out, ${found.skipped}`);
    show(found.figures);
  }
}
