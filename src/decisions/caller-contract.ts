import type { OperationDeclaration } from "../operation/declaration.ts";
import type { CallerContract } from "./decided.ts";

/** What the callers of an operation are promised, as every transport keeps it: one declaration, one sentence. */
export function callerContract(declaration: OperationDeclaration): CallerContract {
  const { retention, refusals = {} } = declaration;
  if (declaration.ifRunsAgain === "converges") {
    return {
      promise: "Safe to repeat: running it again changes nothing more.",
      answers: [{ status: 200, means: "Done.", do: "nothing" }, ...ledgerAnswers],
    };
  }
  return {
    promise: `Safe to retry with the same key for ${retention}, counted from its completion.`,
    answers: [
      { status: 200, means: "Done. `Idempotency-Replayed: true` if it was done before.", do: "nothing" },
      { status: 400, means: "The key is missing or malformed, or the input is invalid.", do: "correct the request" },
      { status: 403, means: "The session is not the one this work belongs to.", do: "do not repeat" },
      { status: 409, means: "An earlier attempt is still working.", do: "wait as `Retry-After` says, repeat" },
      ...Object.entries(refusals).map(([code, { status, because }]) => ({
        status,
        means: `${because} (${code})`,
        do: "nothing: this is the answer",
      })),
      { status: 422, means: "This key came with other input before.", do: "do not repeat; make a new key" },
      ...ledgerAnswers,
    ],
  };
}

const ledgerAnswers: CallerContract["answers"] = [
  { status: 500, means: "It failed. What is known is kept.", do: "repeat with the same key" },
  { status: 503, means: "Whether it happened is not known yet.", do: "repeat with the same key later: it tells" },
];
