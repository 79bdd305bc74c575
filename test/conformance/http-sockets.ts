import { once } from "node:events";
import { request as httpRequest, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import express from "express";
import type { HttpServer, SuiteAnswer, SuiteRequest } from "../../src/testing/http-adapter.ts";

/** A listening server and real sockets, whatever framework answers. */
export async function serveOn(server: Server, close: () => Promise<unknown>): Promise<HttpServer> {
  const left = { noticed: () => {} };
  server.prependListener("request", (_, response) => {
    response.once("close", () => {
      if (!response.writableFinished) left.noticed();
    });
  });
  if (!server.listening) {
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
  }
  const { port } = server.address() as AddressInfo;
  return {
    send: async (request) => {
      if (request.signal === undefined) return post(port, request);
      const noticed = new Promise<void>((resolve) => {
        left.noticed = resolve;
      });
      return post(port, request).catch(async (error: unknown) => {
        await noticed;
        throw error;
      });
    },
    close: async () => {
      server.closeAllConnections();
      await close();
    },
  };
}

/** Closes a server that no framework closes. */
export async function closeServer(server: Server): Promise<void> {
  server.close();
  await once(server, "close");
}

type Read = (error?: unknown) => void;

/** Reads JSON bodies with the parser of Express, for a framework that has none of its own. */
export function jsonReader(limit: number): (request: IncomingMessage, response: ServerResponse) => Promise<void> {
  const parse = express.json({ limit }) as unknown as (q: IncomingMessage, r: ServerResponse, read: Read) => void;
  return (request, response) =>
    new Promise((resolve, reject) => {
      parse(request, response, (error) => (error === undefined ? resolve() : reject(error as Error)));
    });
}

async function post(port: number, { headers, body, signal }: SuiteRequest): Promise<SuiteAnswer> {
  const lines = new Map<string, string[]>();
  for (const [name, value] of headers) lines.set(name, [...(lines.get(name) ?? []), value]);
  const outgoing = httpRequest({ host: "127.0.0.1", port, path: "/", method: "POST", agent: false, signal });
  for (const [name, values] of lines) outgoing.setHeader(name, values);
  outgoing.end(body);
  const [response] = await once(outgoing, "response");
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  const received = new Headers();
  for (const [name, value] of Object.entries(response.headers)) {
    for (const line of [value].flat()) received.append(name, String(line));
  }
  return { status: response.statusCode, headers: received, body: new Uint8Array(Buffer.concat(chunks)) };
}
