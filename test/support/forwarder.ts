import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** Stands between a client and a server, and stops forwarding when told to, without a word to either side. */
export interface Forwarder {
  readonly port: number;
  /** `answers`: what the server says is held back; `all`: nothing passes. */
  readonly freeze: (what: "answers" | "all") => void;
  /** Lets pass again what comes and what was held back. */
  readonly thaw: () => void;
  /** Ends every connection that stands. */
  readonly cut: () => void;
  readonly close: () => Promise<void>;
}

export async function startForwarder(target: { readonly host: string; readonly port: number }): Promise<Forwarder> {
  const pairs = new Set<{ readonly client: Socket; readonly server: Socket }>();
  let frozen: "nothing" | "answers" | "all" = "nothing";
  const apply = () => {
    for (const { client, server } of pairs) {
      if (frozen === "nothing") server.resume();
      else server.pause();
      if (frozen === "all") client.pause();
      else client.resume();
    }
  };
  const listener = createServer((client) => {
    const server = connect(target.port, target.host);
    const pair = { client, server };
    pairs.add(pair);
    client.on("data", (bytes) => server.write(bytes));
    server.on("data", (bytes) => client.write(bytes));
    for (const [one, other] of [
      [client, server],
      [server, client],
    ] as const) {
      one.on("error", () => other.destroy());
      one.on("close", () => {
        pairs.delete(pair);
        other.destroy();
      });
    }
    apply();
  });
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");
  const { port } = listener.address() as AddressInfo;
  const cut = () => {
    for (const { client, server } of pairs) {
      client.destroy();
      server.destroy();
    }
  };
  return {
    port,
    freeze: (what) => {
      frozen = what;
      apply();
    },
    thaw: () => {
      frozen = "nothing";
      apply();
    },
    cut,
    close: async () => {
      cut();
      listener.close();
      await once(listener, "close");
    },
  };
}
