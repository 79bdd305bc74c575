/** Distances up to it have a bucket each. Above it an octave has half as many: no bucket is wider than 1/32 of its values. */
const exactBits = 6;
const exact = 1 << exactBits;
const octaveBits = exactBits - 1;
const perOctave = 1 << octaveBits;
/** More keys, and more bytes, than memory holds. */
const greatestBits = 48;
const greatest = 2 ** greatestBits;
/** What shifts reach; they are many times cheaper than powers. */
const shiftable = 2 ** 31;
const unshiftedBits = 24;

export const bucketCount: number = exact + (greatestBits - exactBits) * perOctave;

/** The bucket of a distance, which counts from 1. */
export function bucketOf(distance: number): number {
  const whole = Math.ceil(distance) - 1;
  if (whole < exact) return Math.max(0, whole);
  if (whole >= greatest) return bucketCount - 1;
  if (whole >= shiftable) return bucketOf(distance / 2 ** unshiftedBits) + unshiftedBits * perOctave;
  const bits = 31 - Math.clz32(whole);
  return exact + (bits - exactBits - 1) * perOctave + (whole >> (bits - octaveBits));
}

/** The greatest distance of a bucket: a cache of this size holds what is in the bucket, and in those before it. */
export function upperEnd(bucket: number): number {
  if (bucket < exact) return bucket + 1;
  const octave = (bucket - exact) >> octaveBits;
  const within = (bucket - exact) & (perOctave - 1);
  return (perOctave + within + 1) * 2 ** (octave + 1);
}
