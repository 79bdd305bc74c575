import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** What becomes of a request that a client sends. */
export type Fate =
  | "pass"
  /** The server does it, and the client's connection is cut instead of its answer. */
  | "lose the answer"
  /** It does not arrive; the client's connection is cut, and the server does not notice. */
  | "lose the request"
  /** The server does it, and the client waits for its answer in vain. */
  | "hold the answer"
  /** It does not arrive, nor does what follows it; the client waits in vain. */
  | "hold the request";

/** Stands between a driver and its server, and fails as networks do. */
export interface TcpProxy {
  readonly port: number;
  /** Asked for each piece of what clients send, as text. */
  fateOf: (request: string) => Fate;
  /** From now on nothing passes in either direction, and nobody is told. */
  readonly freeze: () => void;
  readonly thaw: () => void;
  /** The server notices what it had not. */
  readonly cutServers: () => void;
  /** From now on nobody gets through: what stands is cut, and who comes is turned away. */
  readonly refuse: () => void;
  readonly admit: () => void;
  readonly close: () => Promise<void>;
}

export async function tcpProxy(target: { readonly host: string; readonly port: number }): Promise<TcpProxy> {
  const pairs = new Set<{ readonly client: Socket; readonly server: Socket }>();
  let frozen = false;
  let refusing = false;
  const listener = createServer((client) => {
    if (refusing) {
      client.destroy();
      return;
    }
    const server = connect(target.port, target.host);
    const pair = { client, server };
    pairs.add(pair);
    let isAnswerLost = false;
    let isHeld: "nothing" | "answers" | "all" = "nothing";
    for (const [one, other] of [
      [client, server],
      [server, client],
    ] as const) {
      one.on("error", () => undefined);
      if (frozen) one.pause();
      one.on("close", () => {
        if (!isDetached.has(other)) other.destroy();
      });
    }
    client.on("data", (data) => {
      const fate = proxy.fateOf(data.toString("latin1"));
      if (fate === "lose the request") {
        isDetached.add(server);
        client.destroy();
        return;
      }
      if (fate === "hold the request") isHeld = "all";
      if (fate === "hold the answer" && isHeld === "nothing") isHeld = "answers";
      isAnswerLost ||= fate === "lose the answer";
      if (isHeld !== "all") server.write(data);
    });
    server.on("data", (data) => {
      if (isAnswerLost) client.destroy();
      else if (isHeld === "nothing") client.write(data);
    });
  });
  const isDetached = new WeakSet<Socket>();
  const each = (work: (socket: Socket) => void) => {
    for (const { client, server } of pairs) {
      work(client);
      work(server);
    }
  };
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");
  const proxy: TcpProxy = {
    port: (listener.address() as AddressInfo).port,
    fateOf: () => "pass",
    freeze: () => {
      frozen = true;
      each((socket) => socket.pause());
    },
    thaw: () => {
      frozen = false;
      each((socket) => socket.resume());
    },
    cutServers: () => {
      for (const { server } of pairs) server.destroy();
    },
    refuse: () => {
      refusing = true;
      each((socket) => socket.destroy());
    },
    admit: () => {
      refusing = false;
    },
    close: async () => {
      each((socket) => socket.destroy());
      listener.close();
      await once(listener, "close");
    },
  };
  return proxy;
}
