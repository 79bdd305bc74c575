import { once } from "node:events";
import type { AddressInfo, Server } from "node:net";
import rhea, {
  type Connection,
  type Delivery,
  type EventContext,
  type Message,
  type Receiver,
  type Sender,
} from "rhea";
import { BusQueue, type BusQueueOptions, type SettledAs } from "./bus-queue.ts";
import { answerTo } from "./management.ts";
import { annotated, ticksOf, unpack, vendor } from "./wire.ts";

/**
 * As much of Azure Service Bus as its SDK speaks to: AMQP 1.0 on a port of the loopback. The SDK in these tests is the real
 * one, the broker is not: what it does is taken from its documentation, and from what the SDK's source expects.
 */
export interface ServiceBusServer {
  readonly port: number;
  /** What a client connects with: without encryption, and to any port. */
  readonly connectionString: (port?: number) => string;
  /** Of a topic's subscription: `topic/Subscriptions/subscription`. */
  readonly add: (name: string, options?: BusQueueOptions) => BusQueue;
  /** What is sent to a topic goes to each of these. */
  readonly addTopic: (name: string, queues: readonly BusQueue[]) => void;
  readonly close: () => Promise<void>;
}

/** What a link that messages go out over carries with it. */
interface Outgoing {
  readonly queue: BusQueue;
  readonly sessionId: string | undefined;
}

/** As in the standard tier. */
const largest = 256 * 1_024;
const sessionFilter = `${vendor}session-filter`;
const types = rhea.types as unknown as Record<"wrap_long" | "wrap_int", (value: number) => unknown>;
const outcomes = rhea.message as unknown as Record<
  "accepted" | "rejected" | "modified",
  (fields?: object) => { readonly described: () => object }
>;

export async function startServiceBus(port = 0): Promise<ServiceBusServer> {
  const bus = new Bus();
  await bus.listen(port);
  return bus;
}

class Bus implements ServiceBusServer {
  readonly #queues = new Map<string, BusQueue>();
  readonly #topics = new Map<string, readonly BusQueue[]>();
  readonly #links = new Map<Sender, Outgoing>();
  /** Over which answers go out. */
  readonly #replies = new Set<Sender>();
  readonly #tokens = new WeakMap<Delivery, string>();
  readonly #sockets = new Set<{ destroy(): void }>();
  #server: Server | undefined;
  port = 0;

  readonly connectionString = (port = this.port): string =>
    `Endpoint=sb://127.0.0.1:${port};SharedAccessKeyName=any;SharedAccessKey=any;UseDevelopmentEmulator=true;`;

  readonly add = (name: string, options: BusQueueOptions = {}): BusQueue => {
    const queue = new BusQueue(name, options);
    for (const one of [queue, queue.deadLetters]) {
      if (one === undefined) continue;
      one.arrived = () => setImmediate(() => this.#deliver(one));
      one.sessionLost = (link) => {
        (link as Sender).close({ condition: `${vendor}session-lock-lost`, description: "its lock has ended" });
      };
      this.#queues.set(one.name, one);
    }
    return queue;
  };

  readonly addTopic = (name: string, queues: readonly BusQueue[]): void => {
    this.#topics.set(name, queues);
  };

  readonly close = async (): Promise<void> => {
    const server = this.#server;
    if (server === undefined) return;
    for (const socket of this.#sockets) socket.destroy();
    const closed = once(server, "close");
    server.close();
    await closed;
  };

  async listen(port: number): Promise<void> {
    const container = rhea.create_container({
      id: "service-bus",
      sender_options: { autosettle: false, treat_modified_as_released: false },
      receiver_options: { credit_window: 500, autoaccept: false },
    } as object);
    const mechanisms = container.sasl_server_mechanisms as unknown as Record<string, unknown> & {
      readonly enable_anonymous: () => void;
    };
    mechanisms.enable_anonymous();
    mechanisms["MSSBCBS"] = mechanisms["ANONYMOUS"];
    const on = (events: readonly string[], listener: (context: EventContext) => void) => {
      for (const event of events) container.on(event, listener);
    };
    on(["sender_open"], (context) => this.#openOutgoing(context.sender as Sender));
    on(["receiver_open"], (context) => this.#openIncoming(context.receiver as Receiver));
    on(["message"], (context) => this.#take(context));
    on(["accepted", "rejected", "modified", "released"], (context) => this.#settle(context));
    on(["sendable"], ({ sender }) => this.#deliverOver(sender as Sender));
    on(["sender_draining"], ({ sender }) => this.#drain(sender as Sender));
    on(["sender_close"], ({ sender }) => this.#leave(sender as Sender));
    on(["disconnected", "connection_close"], ({ connection }) => {
      for (const link of this.#links.keys()) if (link.connection === connection) this.#leave(link);
      for (const link of this.#replies) if (link.connection === connection) this.#replies.delete(link);
    });
    // without a listener these end the process
    on(["connection_error", "session_error", "sender_error", "receiver_error", "protocol_error", "error"], () => {});
    this.#server = container.listen({ port, host: "127.0.0.1" });
    this.#server.on("connection", (socket) => {
      this.#sockets.add(socket);
      socket.on("close", () => this.#sockets.delete(socket));
    });
    await once(this.#server, "listening");
    this.port = (this.#server.address() as AddressInfo).port;
  }

  #openOutgoing(link: Sender): void {
    const { source, target } = remoteOf(link);
    const address = source?.address ?? "";
    link.set_source(source as never);
    link.set_target(target as never);
    const queue = this.#queues.get(address);
    if (isService(address)) this.#replies.add(link);
    else if (queue === undefined) refuse(link, "amqp:not-found", `'${address}' could not be found.`);
    else if (queue.hasSessions) this.#openSession(link, queue);
    else this.#links.set(link, { queue, sessionId: undefined });
  }

  #openSession(link: Sender, queue: BusQueue): void {
    const { source } = remoteOf(link);
    const filter = source?.filter?.[sessionFilter];
    const wanted = (filter as { readonly value?: unknown } | undefined)?.value ?? filter;
    const session = queue.acceptSession(link, wanted === null ? undefined : (wanted as string | undefined));
    if (session === undefined) {
      const why = wanted === undefined || wanted === null ? "timeout" : "session-cannot-be-locked";
      refuse(link, vendor + why, "There is no session that can be locked.");
      return;
    }
    link.set_source({ address: queue.name, filter: { [sessionFilter]: session.id } } as never);
    localOf(link).properties = { [`${vendor}locked-until-utc`]: types.wrap_long(ticksOf(session.until)) };
    this.#links.set(link, { queue, sessionId: session.id });
  }

  #openIncoming(link: Receiver): void {
    const { source, target } = remoteOf(link);
    link.set_source(source as never);
    link.set_target(target as never);
    // without it a client can make no batch
    localOf(link).max_message_size = largest;
    const address = target?.address ?? "";
    if (isService(address) || this.#queues.has(address) || this.#topics.has(address)) return;
    refuse(link, "amqp:not-found", `'${address}' could not be found.`);
  }

  #take({ receiver, message, delivery }: EventContext): void {
    const address = remoteOf(receiver as Receiver).target?.address ?? "";
    if (!Buffer.isBuffer(message) && rhea.message.encode(message as Message).length > largest) {
      delivery?.reject({ condition: "amqp:link:message-size-exceeded", description: "The message is too large." });
      return;
    }
    delivery?.accept();
    if (isService(address)) {
      this.#reply(address, message as Message, (receiver as Receiver).connection);
      return;
    }
    const queue = this.#queues.get(address);
    for (const one of unpack(message as Message | Buffer)) {
      for (const to of queue === undefined ? (this.#topics.get(address) ?? []) : [queue]) to.enqueue({ ...one });
    }
  }

  #reply(address: string, request: Message, connection: Connection): void {
    const { status, body, condition, description } = answerTo(
      this.#queues.get(address.replace(/\/?\$management$/, "")),
      request,
    );
    const code = types.wrap_int(status);
    const properties = { statusCode: code, "status-code": code, statusDescription: description ?? "OK" };
    const link = [...this.#replies].find(
      (one) =>
        one.connection === connection &&
        (one.name === request.reply_to || remoteOf(one).target?.address === request.reply_to),
    );
    link?.send({
      correlation_id: request.message_id,
      body,
      application_properties: { ...properties, ...(condition === undefined ? {} : { errorCondition: condition }) },
    } as Message);
  }

  #deliver(queue: BusQueue): void {
    for (const [link, outgoing] of this.#links) if (outgoing.queue === queue) this.#deliverOver(link);
  }

  #deliverOver(link: Sender): void {
    const outgoing = this.#links.get(link);
    if (outgoing === undefined) return;
    const { queue, sessionId } = outgoing;
    // what is written and not flushed has not taken its credit yet
    const { outgoing: window } = link.session as unknown as {
      readonly outgoing: { readonly next_delivery_id: number; readonly next_pending_delivery: number };
    };
    const { credit } = link as unknown as { readonly credit: number };
    while (link.sendable() && credit > window.next_delivery_id - window.next_pending_delivery) {
      const locked = queue.take(link, sessionId);
      if (locked === undefined) return;
      const delivery = link.send(annotated(locked.kept, locked.until), locked.tag);
      this.#tokens.set(delivery, locked.token);
    }
  }

  /** Without an answer the SDK closes the link. */
  #drain(link: Sender): void {
    this.#deliverOver(link);
    setImmediate(() =>
      setImmediate(() => {
        link.set_drained(true);
        (link.connection as unknown as { readonly _register: () => void })._register();
      }),
    );
  }

  #settle({ sender, delivery }: EventContext): void {
    const token = this.#tokens.get(delivery as Delivery);
    const queue = this.#links.get(sender as Sender)?.queue;
    // an answer of ours that was taken
    if (token === undefined || queue === undefined) return void delivery?.update(true);
    const state = (delivery as Delivery).remote_state as unknown as RemoteState;
    const isKnown = queue.settle(token, settledAs(state));
    const description = "The lock supplied is invalid: it has ended, or the message was removed.";
    const lost = outcomes.rejected({ error: { condition: `${vendor}message-lock-lost`, description } });
    delivery?.update(true, (isKnown ? outcomes.accepted() : lost).described() as never);
  }

  #leave(link: Sender): void {
    this.#replies.delete(link);
    const outgoing = this.#links.get(link);
    this.#links.delete(link);
    outgoing?.queue.leave(link);
  }
}

interface Terminus {
  readonly address?: string;
  readonly filter?: Readonly<Record<string, unknown>>;
}

function remoteOf(link: Sender | Receiver): { readonly source?: Terminus; readonly target?: Terminus } {
  return (link as unknown as { readonly remote: { readonly attach: object } }).remote.attach;
}

/** What is said of a link when it is attached, in answer. */
function localOf(link: Sender | Receiver): { properties?: object; max_message_size?: number } {
  return (link as unknown as { readonly local: { readonly attach: object } }).local.attach;
}

function isService(address: string): boolean {
  return address === "$cbs" || address.endsWith("$management");
}

function refuse(link: Sender | Receiver, condition: string, description: string): void {
  link.close({ condition, description });
}

interface RemoteState {
  readonly constructor: { readonly composite_type?: string };
  readonly error?: { readonly info?: Readonly<Record<string, unknown>> };
}

function settledAs(state: RemoteState): SettledAs {
  switch (state.constructor.composite_type) {
    case "accepted":
      return { is: "completed" };
    case "rejected":
      return { is: "dead-lettered", properties: state.error?.info ?? {} };
    default:
      return { is: "abandoned" };
  }
}
