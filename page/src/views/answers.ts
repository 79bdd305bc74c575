import type { Answer } from "../../../src/decisions/decided.ts";

export function valueIn(answer: Answer | undefined): string | undefined {
  return answer === undefined || answer.is === "undecided" ? undefined : answer.value;
}

export const isNobodys = (answer: Answer | undefined): boolean => answer?.is === "undecided";

/** `undefined` also for a default. */
export function declaredIn(answer: Answer | undefined): string | undefined {
  return answer?.is === "declared" ? answer.value : undefined;
}
