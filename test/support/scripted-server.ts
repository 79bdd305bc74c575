import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** A real HTTP server that answers request after request as it is told, and writes down what it got. */

export interface Received {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export type Answering = (response: ServerResponse, request: Received) => unknown;

export interface ScriptedServer {
  readonly address: string;
  readonly received: readonly Received[];
  /** Resolves when so many requests have come. */
  readonly hasReceived: (count: number) => Promise<void>;
  readonly close: () => Promise<void>;
}

/** `script` answers in order; its last line answers all that follow. */
export async function scriptedServer(...script: readonly Answering[]): Promise<ScriptedServer> {
  const received: Received[] = [];
  const waiting: { readonly count: number; readonly resolve: () => void }[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const got = {
      method: request.method ?? "",
      path: request.url ?? "",
      headers: request.headers,
      body: Buffer.concat(chunks),
    };
    received.push(got);
    for (const { count, resolve } of waiting) if (received.length >= count) resolve();
    await script[Math.min(received.length, script.length) - 1]?.(response, got);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    hasReceived: (count) =>
      new Promise((resolve) => {
        if (received.length >= count) resolve();
        else waiting.push({ count, resolve });
      }),
    close: async () => {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

export const answers =
  (status: number, headers: Readonly<Record<string, string>> = {}, body = ""): Answering =>
  (response) => {
    response.writeHead(status, headers).end(body);
  };

/** The work is done, and the connection is cut before a word of its answer. */
export const resets: Answering = (response) => response.socket?.resetAndDestroy();

/** The head and half of the body, then the end of the connection. */
export const breaksOff: Answering = async (response) => {
  response.writeHead(200, { "content-length": "10" });
  await new Promise<void>((resolve) => response.write("12345", () => resolve()));
  response.socket?.resetAndDestroy();
};

export const neverAnswers: Answering = () => undefined;
