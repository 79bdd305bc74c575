import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** The other side of an order's effect: honours keys, counts what reaches it, and says what became of a key. */
export interface Gateway {
  readonly url: string;
  /** How often it was called for an order. */
  readonly calls: (id: string) => number;
  /** How many charges were made for it: one for each key. */
  readonly charges: (id: string) => number;
  /** Charges for this order from now on, and does not answer. Resolves with the first that comes; `release` answers all. */
  readonly hold: (id: string) => { readonly arrived: Promise<void>; readonly release: () => void };
  readonly close: () => Promise<void>;
}

export async function startGateway(): Promise<Gateway> {
  const calls = new Map<string, number>();
  const charges = new Map<string, { readonly id: string; readonly charge: string }>();
  const holds = new Map<string, (answer: () => void) => void>();
  const server = createServer(async (request, response: ServerResponse) => {
    if (request.method === "GET") {
      const charge = charges.get(new URL(request.url ?? "", "http://gateway").searchParams.get("key") ?? "");
      response.writeHead(charge === undefined ? 404 : 200).end(JSON.stringify({ charge: charge?.charge }));
      return;
    }
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { key, id } = JSON.parse(Buffer.concat(chunks).toString()) as { readonly key: string; readonly id: string };
    calls.set(id, (calls.get(id) ?? 0) + 1);
    const charge = charges.get(key) ?? { id, charge: `charge ${charges.size + 1}` };
    charges.set(key, charge);
    const answer = () => void response.end(JSON.stringify({ charge: charge.charge }));
    const hold = holds.get(id);
    if (hold === undefined) answer();
    else hold(answer);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    calls: (id) => calls.get(id) ?? 0,
    charges: (id) => [...charges.values()].filter((charge) => charge.id === id).length,
    hold: (id) => {
      const held: (() => void)[] = [];
      let arrive = () => {};
      const arrived = new Promise<void>((resolve) => {
        arrive = resolve;
      });
      holds.set(id, (answer) => {
        held.push(answer);
        arrive();
      });
      return {
        arrived,
        release: () => {
          holds.delete(id);
          for (const answer of held) answer();
        },
      };
    },
    close: async () => {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
