import type { BlobStore } from "../contract/blob-store.ts";
import { keepScenarios } from "./blob-store-suite-keep.ts";
import { raceScenarios } from "./blob-store-suite-races.ts";
import { type Capability, casesOf, type SuiteCase } from "./suite.ts";

/** What a blob store gives its conformance suite. */
export interface BlobStoreAdapter {
  /** For the names of the cases. */
  readonly name: string;
  readonly can: {
    /** A second instance on the same blobs. */
    readonly severalInstances: Capability;
  };
  /** A new, empty store. */
  readonly open: () => Promise<BlobStoreStage>;
}

export interface BlobStoreStage {
  readonly blobs: BlobStore;
  /** A second instance on the same blobs. */
  readonly another: () => Promise<BlobStore>;
  readonly close: () => Promise<void>;
}

/** A case before it is bound to an adapter. */
export interface BlobScenario {
  readonly name: string;
  readonly needs?: readonly "severalInstances"[];
  readonly run: (stage: BlobStoreStage) => Promise<void>;
}

const scenarios: readonly BlobScenario[] = [...keepScenarios, ...raceScenarios];

/**
 * What every blob store must do, as data for any test runner. Each case opens a stage of its own.
 *
 * @example
 * for (const { name, skip, run } of blobStoreSuite(adapter)) test(name, { skip: skip ?? false }, run);
 */
export function blobStoreSuite(adapter: BlobStoreAdapter): readonly SuiteCase[] {
  return casesOf(adapter, scenarios);
}
