import { createServer, type IncomingMessage, type Server } from "node:http";

/** What the other companies' processes have in common: JSON over HTTP, and an end together with who started them. */

export interface JsonRequest {
  readonly method: string;
  readonly path: string;
  /** `null`: none was sent. */
  readonly idempotencyKey: string | null;
  readonly body: Readonly<Record<string, unknown>>;
}
/** `lost`: the work was done, and the connection breaks before anybody is told. */
export type JsonAnswer = { readonly status: number; readonly body: unknown } | "lost";

export function answer(status: number, body: unknown): JsonAnswer {
  return { status, body };
}

export function createJsonServer(serve: (request: JsonRequest) => JsonAnswer | Promise<JsonAnswer>): Server {
  return createServer((incoming, response) => {
    void read(incoming)
      .then(serve)
      .catch((error: unknown) => answer(500, { error: String(error) }))
      .then((given) => {
        if (given === "lost") response.destroy();
        else if (!response.destroyed) {
          response.writeHead(given.status, { "content-type": "application/json" }).end(JSON.stringify(given.body));
        }
      });
  });
}

async function read(incoming: IncomingMessage): Promise<JsonRequest> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString("utf8");
  const key = incoming.headers["idempotency-key"];
  return {
    method: incoming.method ?? "",
    path: incoming.url ?? "",
    idempotencyKey: key === undefined ? null : String(key),
    body: text === "" ? {} : (JSON.parse(text) as Record<string, unknown>),
  };
}

export function stopWithParent(server: Server, close: () => void): void {
  const stop = () => {
    server.close(() => {
      close();
      process.exit(0);
    });
    server.closeIdleConnections();
  };
  process.on("SIGTERM", stop);
  // the platform that started it is gone, in whatever way: nobody needs it any longer
  process.on("disconnect", stop);
  // the terminal's Ctrl-C reaches the whole group; the platform drains first and then ends this process
  process.on("SIGINT", () => undefined);
}
