import type { Answer } from "./answer.ts";

/**
 * How an answer is kept beside its outcome. The first answer and every repetition are read from this text, so they have
 * the same bytes. Kept texts live as long as the longest retention: a new form gets a new version, and the old ones
 * are read for good (`test/golden/http-rendering`).
 */
interface RenderingV1 {
  readonly http: 1;
  readonly status: number;
  readonly headers: readonly (readonly [string, string])[];
  readonly text?: string | undefined;
  readonly base64?: string | undefined;
}

/** Kept in the place of an answer that could not be made: a later repetition makes it anew. */
export const unrendered = '{"http":0}';

export function encodeAnswer(answer: Answer): string {
  const { status, headers, body } = answer;
  const text = typeof body === "string" ? body : undefined;
  const base64 = body instanceof Uint8Array ? Buffer.from(body).toString("base64") : undefined;
  const rendering: RenderingV1 = { http: 1, status, headers, text, base64 };
  return JSON.stringify(rendering);
}

/** `null`: another transport, or a version that is not known here, kept it. */
export function decodeAnswer(rendered: string): Answer | null {
  let parsed: Partial<RenderingV1> | null;
  try {
    parsed = JSON.parse(rendered) as Partial<RenderingV1> | null;
  } catch {
    return null;
  }
  if (parsed?.http !== 1) return null;
  const { status = 200, headers = [], text, base64 } = parsed;
  const body = text ?? (base64 === undefined ? null : Buffer.from(base64, "base64"));
  return { status, headers, body };
}
