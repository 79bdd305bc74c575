import rhea, { type Message } from "rhea";

/** How Service Bus writes on AMQP 1.0 what the protocol itself has no word for. */

export const vendor = "com.microsoft:";

/** A lock's token is its delivery's tag, of which .NET's order of bytes turns the first eight. */
export function tokenOf(tag: Buffer): string {
  const order = [3, 2, 1, 0, 5, 4, 7, 6];
  return Buffer.from([...order.map((at) => tag[at] ?? 0), ...tag.subarray(8, 16)]).toString("hex");
}

/** Of .NET: tenths of a microsecond since the year 1. */
export function ticksOf(ms: number): number {
  return Number(BigInt(ms) * 10_000n + 621_355_968_000_000_000n);
}

const { wrap_long: long, wrap_timestamp: timestamp } = rhea.types as unknown as Record<
  "wrap_long" | "wrap_timestamp",
  (value: number) => unknown
>;

interface Written {
  readonly message: Message;
  readonly sequence: number;
  readonly enqueuedAt: number;
  readonly deliveries: number;
}

/** As it is delivered, or looked at. */
export function annotated({ message, sequence, enqueuedAt, deliveries }: Written, lockedUntil?: number): Message {
  return {
    ...message,
    delivery_count: deliveries,
    message_annotations: {
      ...message.message_annotations,
      "x-opt-sequence-number": long(sequence),
      "x-opt-enqueued-time": timestamp(enqueuedAt),
      ...(lockedUntil === undefined ? {} : { "x-opt-locked-until": timestamp(lockedUntil) }),
    },
  };
}

/** A batch is one message, whose sections are encoded messages; it is handed over as bytes. */
export function unpack(message: Message | Buffer): readonly Message[] {
  if (!Buffer.isBuffer(message)) return [message];
  const { content } = rhea.message.decode(message)["body"] as unknown as {
    readonly content: Buffer | readonly Buffer[];
  };
  const all = Array.isArray(content) ? (content as readonly Buffer[]) : [content as Buffer];
  return all.map((one) => rhea.message.decode(one) as unknown as Message);
}
