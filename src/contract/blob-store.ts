/**
 * Files of an object store or a file system, written so that a repetition is harmless: by whoever is first, or by whoever
 * saw what is there.
 *
 * For every method: readers see the whole old blob or the whole new one; a store that does not answer within its deadline
 * rejects with `REPRISE_BLOBS_AWAY`, and then the write may or may not have happened: the same call again tells. A name
 * that no store could keep as it is (`checkBlobName`) rejects with `REPRISE_BAD_DECLARATION`. An aborted `signal` rejects
 * with its reason, and then nobody knows either.
 */
export interface BlobStore {
  /** For messages: `"azure-blob"`. */
  readonly name: string;
  /** `null`: there is none. */
  readonly read: (name: string, signal?: AbortSignal) => Promise<StoredBlob | null>;
  /**
   * Writes the blob if there is none. `same`: there is one with the very bytes, as after a repetition of the same work;
   * `differs`: there is another, and nothing was written.
   */
  readonly putIfAbsent: (name: string, bytes: Uint8Array, signal?: AbortSignal) => Promise<PutIfAbsent>;
  /**
   * Writes the blob if it is the one that `token` was told for. `same`: another is there by now, with the very bytes, as
   * after a repetition whose first answer was lost; that it was another's, nobody can tell. `differs`: another is there, or
   * none, and nothing was written.
   */
  readonly putIfToken: (name: string, bytes: Uint8Array, token: string, signal?: AbortSignal) => Promise<PutIfToken>;
}

export interface StoredBlob {
  readonly bytes: Uint8Array;
  /** Another with each write of the blob. */
  readonly token: string;
}
export type PutIfAbsent =
  | { readonly is: "put"; readonly token: string }
  | { readonly is: "same"; readonly token: string }
  | { readonly is: "differs"; readonly token: string };
export type PutIfToken =
  | { readonly is: "put"; readonly token: string }
  | { readonly is: "same"; readonly token: string }
  /** `null`: there is none. */
  | { readonly is: "differs"; readonly token: string | null };
