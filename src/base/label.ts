/** Class and code of an error: what people need to find it, and no value. */
export function labelOfError(error: unknown): string {
  if (!(error instanceof Error)) return `a thrown ${typeof error}`;
  const { code } = error as { readonly code?: unknown };
  // a broker's is a number
  if (typeof code === "number") return `${error.name} ${code}`;
  return typeof code === "string" && code !== error.name ? `${error.name} ${code}`.slice(0, 200) : error.name;
}
