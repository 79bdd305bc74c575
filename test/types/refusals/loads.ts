/** Loads that the compiler refuses; `declared.ts` tells how to read this file. */
import { first, reprise } from "./declared.ts";

const answers = {
  name: "sales.fact",
  owner: "reporting",
  ifRunsAgain: "converges",
  from: "staging.transactions",
  into: "reporting.fact_sales",
  identity: ["txn_ref", "txn_date"],
  ifSourceLost: "keep",
  windows: "whole",
} as const;
const versioned = {
  ...answers,
  newer: "source_version",
  ifSameVersionDiffers: "refuse",
  ifSourceRepeatsKey: "newest",
} as const;

// ── which of two rows is right ──

reprise.load({
  ...answers,
  newer: { none: "files come in order" },
  // refused at `ifSameVersionDiffers`: without a version what comes later overwrites: say 'overwrite', or name the version in 'newer'
  ifSameVersionDiffers: "refuse",
  ifSourceRepeatsKey: "refuse",
});
reprise.load({
  ...answers,
  newer: { none: "files come in order" },
  ifSameVersionDiffers: "overwrite",
  // refused at `ifSourceRepeatsKey`: without a version no row is the newest: say 'refuse', or name the version in 'newer'
  ifSourceRepeatsKey: "newest",
});

// ── answers that a person gives ──

// refused at `ifRunsAgain`: Type '"replays"' is not assignable to type '"converges"'
reprise.load({ ...versioned, ifRunsAgain: "replays" });
// refused at `identity`: Source has 0 element(s) but target requires 1
reprise.load({ ...versioned, identity: [] });
// refused at `atMost`: Type '"a few"' is not assignable to type '`${number}%`'
reprise.load({ ...versioned, ifSourceLost: { mark: "deleted_at", atMost: "a few" } });
// refused at `each`: Type '"1w"' is not assignable to type
reprise.load({ ...versioned, windows: { by: "txn_date", each: "1w" } });

// ── where it lies ──

// refused at `{ ...versioned }`: this reprise has no ledger: give createReprise one
first.load({ ...versioned });
