/** What is used of Koa, so that nothing of it is loaded and no version of its types is needed. */
import type { NodeRequest } from "./node.ts";

export interface KoaContext {
  readonly req: NodeRequest;
  /** A parser of bodies adds what it read as `request.body`. */
  readonly request: object;
  readonly app: { emit(event: "error", error: Error, context: unknown): unknown };
  get(header: string): string;
  set(header: string, value: string): unknown;
  remove(header: string): unknown;
  status: number;
  body: unknown;
}
