/** What is used of Fastify, so that nothing of it is loaded and no version of its types is needed. */
import type { NodeRequest } from "./node.ts";

export interface FastifyRequest {
  readonly body: unknown;
  readonly method: string;
  readonly params: unknown;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly raw?: NodeRequest | undefined;
  readonly log?: { readonly error: (error: Error, message: string) => void } | undefined;
}

export interface FastifyReply {
  code(status: number): unknown;
  header(name: string, value: string | string[]): unknown;
  send(body?: unknown): unknown;
}
