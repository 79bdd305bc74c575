import type { DeadLetterReason } from "../../contract/source.ts";
import { instantIn, reasonIn, reasonName, sentAtName, whyName } from "../letters.ts";
import type { SqsAttribute, SqsMessage } from "./shapes.ts";

type Attributes = Readonly<Record<string, SqsAttribute>>;

export const groupName = "x-reprise-group";
/** Of the sender's attributes those that found no room, as JSON. */
const moreName = "x-reprise-more";
const own = new Set([reasonName, whyName, sentAtName, groupName, moreName]);

/** A message has ten attributes at most. */
const most = 10;

/** Attributes of a copy: the sender's, and those that say more of it. What finds no room is packed into one. */
export function withAttributes(
  sent: Attributes,
  added: Readonly<Record<string, string | null>>,
): Record<string, SqsAttribute> {
  const written: Record<string, SqsAttribute> = {};
  for (const [name, value] of Object.entries(added)) {
    // an empty value is refused
    if (value !== null && value !== "") written[name] = { DataType: "String", StringValue: value };
  }
  const senders = Object.entries(sent);
  const room = most - Object.keys(written).length;
  const fitting = senders.length <= room ? senders.length : room - 1;
  for (const [name, attribute] of senders.slice(0, fitting)) written[name] = attribute;
  const rest = senders
    .slice(fitting)
    .map(([name, { DataType, StringValue, BinaryValue }]) => [
      name,
      DataType,
      StringValue ?? null,
      BinaryValue === undefined ? null : Buffer.from(BinaryValue).toString("base64"),
    ]);
  if (rest.length > 0) written[moreName] = { DataType: "String", StringValue: JSON.stringify(rest) };
  return written;
}

/** As its sender wrote them. */
export function sentAttributes({ MessageAttributes = {} }: SqsMessage): Attributes {
  const sent = Object.entries(MessageAttributes).filter(([name]) => !own.has(name));
  return { ...Object.fromEntries(sent), ...unpacked(MessageAttributes[moreName]?.StringValue) };
}

function unpacked(text: string | undefined): Attributes {
  if (text === undefined) return {};
  const rest = JSON.parse(text) as readonly (readonly [string, string, string | null, string | null])[];
  return Object.fromEntries(
    rest.map(([name, DataType, string, binary]) => [
      name,
      {
        DataType,
        ...(string !== null && { StringValue: string }),
        ...(binary !== null && { BinaryValue: Buffer.from(binary, "base64") }),
      },
    ]),
  );
}

export function textOf({ MessageAttributes }: SqsMessage, name: string): string | null {
  return MessageAttributes?.[name]?.StringValue ?? null;
}

/** When it entered this queue, in milliseconds since the epoch. */
export function enteredAt({ Attributes }: SqsMessage): number | null {
  const written = Attributes?.["SentTimestamp"];
  return written === undefined ? null : Number(written);
}

/** When it was sent first: what is sent again says so. */
export function sentAt(message: SqsMessage): number | null {
  return instantIn(textOf(message, sentAtName)) ?? enteredAt(message);
}

export function groupOf(message: SqsMessage): string | null {
  return message.Attributes?.["MessageGroupId"] ?? textOf(message, groupName);
}

export function reasonOf(message: SqsMessage): DeadLetterReason | null {
  return reasonIn(textOf(message, reasonName));
}

/** Of a FIFO queue, whose name ends so. */
export function isFifo(queueUrl: string): boolean {
  return queueUrl.endsWith(".fifo");
}
