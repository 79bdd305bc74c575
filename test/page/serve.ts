import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";
import type { ReadableStream as NodeReadableStream } from "node:stream/web";
import type { PageHandler } from "../../src/page/index.ts";

export interface Served {
  readonly url: string;
  readonly port: number;
  readonly close: () => Promise<void>;
}

/** The page over Node's own server, as small as it can be. */
export async function serve(handler: PageHandler, wanted = 0): Promise<Served> {
  const server = createServer((incoming, outgoing) => {
    const { method = "GET", url = "/", headers, socket } = incoming;
    const reads = method === "GET" || method === "HEAD";
    const request = new Request(`http://${headers.host ?? "localhost"}${url}`, {
      method,
      ...(reads ? {} : { body: Readable.toWeb(incoming) as ReadableStream<Uint8Array>, duplex: "half" }),
      headers: Object.entries(headers).flatMap(([name, value]) =>
        typeof value === "string" ? [[name, value]] : [],
      ) as [string, string][],
    });
    const context = socket.remoteAddress === undefined ? {} : { remoteAddress: socket.remoteAddress };
    handler(request, context).then(
      (response) => {
        outgoing.writeHead(response.status, Object.fromEntries(response.headers));
        if (response.body === null) {
          outgoing.end();
          return;
        }
        const body = Readable.fromWeb(response.body as NodeReadableStream);
        body.on("error", () => outgoing.destroy());
        outgoing.on("close", () => body.destroy());
        body.pipe(outgoing);
      },
      () => outgoing.destroy(),
    );
  });
  await new Promise<void>((resolve) => server.listen(wanted, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://localhost:${port}`,
    port,
    close: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}
