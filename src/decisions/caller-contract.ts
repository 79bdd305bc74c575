import { defaults } from "../base/defaults.ts";
import type { OperationDeclaration } from "../operation/declaration.ts";
import { refusalsOf } from "../operation/settings.ts";
import type { CallerAnswer, CallerContract } from "./decided.ts";

/** What the callers of an operation are promised, as every transport keeps it: one declaration, one sentence. */
export function callerContract(declaration: OperationDeclaration): CallerContract {
  const converges = declaration.ifRunsAgain === "converges";
  const { identity, principal, retention } = declaration;
  const afterCrash =
    declaration["~repeatsAfterCrash"] === true ? " A crash before its answer is kept may have it done twice." : "";
  return {
    promise: converges
      ? "Safe to repeat: running it again changes nothing more."
      : `Safe to retry with the same key for ${retention}, counted from its completion.${afterCrash}`,
    key: { required: !converges, maxLength: defaults.http.keyMaxLength },
    identity: converges ? null : identity === "callers-key" ? "callers-key" : "from-input",
    principal: typeof principal === "function" ? "from-input" : "everyone",
    retention: converges ? null : (retention ?? null),
    // of those with one status, what is no outcome comes first: only that may be repeated
    answers: [...(converges ? convergingAnswers : replayingAnswers(declaration)), ...refusedAnswers(declaration)].sort(
      (a, b) => a.status - b.status,
    ),
  };
}

function refusedAnswers(declaration: OperationDeclaration): readonly CallerAnswer[] {
  return Object.entries(refusalsOf(declaration)).map(([refusal, { status, because }]) => ({
    status,
    means: `${because} (${refusal})`,
    do: "nothing: this is the answer",
    is: "refused",
    refusal,
    because,
  }));
}

function replayingAnswers({ principal, effects, dispatch }: OperationDeclaration): readonly CallerAnswer[] {
  const external = effects === "external";
  return [
    {
      status: 200,
      means: "Done. `Idempotency-Replayed: true` if it was done before.",
      do: "nothing",
      is: "done",
    },
    ...(dispatch === undefined ? [] : [accepted]),
    {
      status: 400,
      means: "The key is missing or malformed, or the input is invalid.",
      do: "correct the request",
      is: "problem",
      codes: ["REPRISE_KEY_MISSING", "REPRISE_KEY_MALFORMED", "REPRISE_BODY_MALFORMED", "REPRISE_INPUT_INVALID"],
    },
    ...(typeof principal === "function" ? [otherSession] : []),
    {
      status: 409,
      means: "An earlier attempt is still working.",
      do: "wait as `Retry-After` says, repeat",
      is: "problem",
      codes: external ? ["REPRISE_RUNNING", "REPRISE_FENCED", "REPRISE_LEASE_LOST"] : ["REPRISE_RUNNING"],
    },
    {
      status: 422,
      means: "This key came with other input before.",
      do: "do not repeat; make a new key",
      is: "problem",
      codes: ["REPRISE_MISMATCH"],
    },
    {
      status: 500,
      means: "It failed. What is known is kept.",
      do: "repeat with the same key",
      is: "problem",
      codes: ["REPRISE_RUN_FAILED", "REPRISE_REPLY_FAILED", "REPRISE_CARRIER_FAILED"],
    },
    {
      status: 503,
      means: "Whether it happened is not known yet.",
      do: "repeat with the same key later: it tells",
      is: "problem",
      codes: external ? ["REPRISE_UNKNOWN", "REPRISE_EFFECT_TIMEOUT", ...ledgerCodes] : ledgerCodes,
    },
  ];
}

const accepted: CallerAnswer = {
  status: 202,
  means: "Accepted: it will be done. `Location` tells where to ask how it stands.",
  do: "ask there",
  is: "accepted",
};

const otherSession: CallerAnswer = {
  status: 403,
  means: "The session is not the one this work belongs to.",
  do: "do not repeat",
  is: "problem",
  codes: ["REPRISE_PRINCIPAL_EMPTY", "REPRISE_PRINCIPAL_DIFFERS"],
};

const ledgerCodes = [
  "REPRISE_LEDGER_AWAY",
  "REPRISE_LEDGER_BUSY",
  "REPRISE_LEDGER_UNUSABLE",
  "REPRISE_CLOSED",
] as const;

/** Nothing is kept, so that a key finds nothing, and there is nothing to wait for. */
const convergingAnswers: readonly CallerAnswer[] = [
  { status: 200, means: "Done.", do: "nothing", is: "done" },
  {
    status: 400,
    means: "The input is invalid.",
    do: "correct the request",
    is: "problem",
    codes: ["REPRISE_KEY_MALFORMED", "REPRISE_BODY_MALFORMED", "REPRISE_INPUT_INVALID"],
  },
  {
    status: 500,
    means: "It failed.",
    do: "repeat",
    is: "problem",
    codes: ["REPRISE_RUN_FAILED", "REPRISE_REPLY_FAILED", "REPRISE_CARRIER_FAILED"],
  },
  {
    status: 503,
    means: "Whether it happened is not known.",
    do: "repeat later",
    is: "problem",
    codes: ledgerCodes,
  },
];
