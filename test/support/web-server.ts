import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";

export interface WebServer {
  readonly address: string;
  readonly close: () => Promise<void>;
}

/**
 * A handler of web requests on a real server.
 *
 * @param deliver is asked before each answer is sent: `false` cuts the connection instead
 */
export async function serveWeb(
  handle: (request: Request) => Promise<Response>,
  deliver: (request: Request) => boolean | Promise<boolean> = () => true,
): Promise<WebServer> {
  const server = createServer(async (incoming, outgoing) => {
    const request = await toRequest(incoming);
    const response = await handle(request.clone());
    const body = Buffer.from(await response.arrayBuffer());
    if (await deliver(request)) outgoing.writeHead(response.status, Object.fromEntries(response.headers)).end(body);
    else outgoing.destroy();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: async () => {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

async function toRequest(incoming: IncomingMessage): Promise<Request> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  const headers = new Headers();
  for (const [name, lines] of Object.entries(incoming.headersDistinct)) {
    for (const line of lines ?? []) headers.append(name, line);
  }
  const { method = "GET", url = "/" } = incoming;
  const body = method === "GET" || method === "HEAD" ? null : Buffer.concat(chunks);
  return new Request(`http://localhost${url}`, { method, headers, body });
}
