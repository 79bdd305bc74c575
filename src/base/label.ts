/** Class and code of an error: what people need to find it, and no value. */
export function labelOfError(error: unknown): string {
  if (!(error instanceof Error)) return `a thrown ${typeof error}`;
  const { code } = error as { readonly code?: unknown };
  // Redis writes it before its text
  const [redis] = /Reply|SimpleError/.test(error.constructor.name) ? (/^[A-Z]{3,}(?= )/.exec(error.message) ?? []) : [];
  if (redis !== undefined) return `${error.name} ${redis}`;
  // a broker's is a number
  if (typeof code === "number") return `${error.name} ${code}`;
  return typeof code === "string" && code !== error.name ? `${error.name} ${code}`.slice(0, 200) : error.name;
}
