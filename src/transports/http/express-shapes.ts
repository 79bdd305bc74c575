/** What is used of Express, so that nothing of it is loaded and no version of its types is needed. */
import type { NodeRequest } from "./node.ts";

export interface ExpressRequest extends NodeRequest {
  /** As `express.json()` or another parser read it; `undefined` without one. */
  readonly body?: unknown;
  readonly method: string;
  readonly params: unknown;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

export interface ExpressResponse {
  statusCode: number;
  setHeader(name: string, value: string): unknown;
  end(body?: Uint8Array): unknown;
}
