/** What scripts return, read: both packages hand over text, integers, null and arrays, or bytes where they are told to. */

export function items(reply: unknown): readonly unknown[] {
  return Array.isArray(reply) ? reply : [];
}

export function text(reply: unknown): string {
  return typeof reply === "string" ? reply : String(reply);
}

export function textOrNull(reply: unknown): string | null {
  return reply === null || reply === undefined ? null : text(reply);
}

export function integer(reply: unknown): number {
  return Number(reply);
}

export function integerOrNull(reply: unknown): number | null {
  return reply === null || reply === undefined ? null : Number(reply);
}

/** An argument that may be null, which Redis has none of. */
export function nullable(value: string | null): string {
  return value === null ? "" : `=${value}`;
}
