/** The place of nothing. */
export const nowhere = -1;

/** The length of an array that grows by doubling until it has an element at `index`. */
export function grownLength(length: number, index: number): number {
  let grown = Math.max(length, 16);
  while (grown <= index) grown *= 2;
  return grown;
}

/** A copy of the numbers in an array of that length. Elements beyond them are 0. */
export function grow<Numbers extends Int32Array | Uint8Array | Float64Array>(
  numbers: Numbers,
  length: number,
): Numbers {
  const grown = new (numbers.constructor as new (length: number) => Numbers)(length);
  grown.set(numbers);
  return grown;
}
