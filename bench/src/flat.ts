/** The same text in one piece, as a key is that came with a request: one put together keeps its parts alive, and is slower to hash. */
export function flat(text: string): string {
  return Buffer.from(text, "latin1").toString("latin1");
}
