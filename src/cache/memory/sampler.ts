/** Watches the reads of a sample of all keys, to tell how large memory ought to be. */
export interface Sampler {
  /** A key whose hash, of 32 bits, is below it is in the sample. It falls as keys come, so that the sample stays small. */
  readonly threshold: () => number;
  /** A read of a key in the sample, hit or miss. `bytes`: what its entry weighs; 0: not known. False: it is in it no longer. */
  readonly record: (hash: number, cache: number, bytes: number) => boolean;
}
