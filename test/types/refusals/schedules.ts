/** Schedules that the compiler refuses; `declared.ts` tells how to read this file. */
import { book, cancel, first, keepsOnly, reprise } from "./declared.ts";

const answers = {
  name: "s",
  owner: "t",
  at: "*/15 * * * *",
  timeZone: "Europe/Berlin",
  ifStillRunning: "walk-away",
  ifMissed: "skip",
  costIfTwice: "money",
  retention: "90d",
} as const;
const { at: _at, timeZone: _timeZone, ...untimed } = answers;
const run = async () => 1;

// ── when ──

// refused at `every`: Type '"5m"' is not assignable to type '"a schedule has 'at' or 'every', not both"'
reprise.schedule({ ...untimed, at: "* * * * *", timeZone: "UTC", every: "5m", run });
// refused at `timeZone`: 'every' counts from the epoch and knows no time zone: use 'at'
reprise.schedule({ ...untimed, every: "5m", timeZone: "UTC", run });
// refused at `{ ...untimed`: Property 'timeZone' is missing
reprise.schedule({ ...untimed, at: "* * * * *", run });

// ── what becomes of a tick ──

// refused at `ifStillRunning`: Type '"both"' is not assignable to type 'IfStillRunning'
reprise.schedule({ ...answers, ifStillRunning: "both", run });
// refused at `ifMissed`: Property 'within' is missing
reprise.schedule({ ...answers, ifMissed: { run: "latest" }, run });
// refused at `ifMissed`: Property 'atMost' is missing
reprise.schedule({ ...answers, ifMissed: { run: "every", within: "6h" }, run });
// refused at `retention`: Type '"90 days"' is not assignable to type
reprise.schedule({ ...answers, retention: "90 days", run });

// ── what it does ──

// refused at `run`: is not assignable to type '"a schedule has 'run', or 'work' and 'each'"'
reprise.schedule({ ...answers, run, work: () => [{ user: "u", reference: "r" }], each: book });
// refused at `{ user: "u" }`: Property 'reference' is missing in type
reprise.schedule({ ...answers, work: () => [{ user: "u" }], each: book });
// refused at `each`: Target signature provides too few arguments. Expected 2 or more, but got 1
reprise.schedule({ ...answers, work: () => [], each: cancel });
// refused at `({ again`: a function does not come back from a ledger
reprise.schedule({ ...answers, run: async () => ({ again: () => 1 }) });
keepsOnly.schedule({
  ...answers,
  // refused at `async`: is not assignable to parameter of type '"this ledger has no transactions"'
  run: async ({ transaction }) => transaction(async () => 1),
});
// refused at `tx`: Property 'tx' does not exist on type
keepsOnly.schedule({ ...answers, work: ({ tx }) => [tx], each: book });
// refused at `{ ...answers`: is not assignable to parameter of type '"this reprise has no ledger: give createReprise one"'
first.schedule({ ...answers, run });
