import type { OutgoingMessage } from "../contract/publisher.ts";

/** Of what is written beside a message's body and its id. */
const besideBytes = 500;

/** In their order, as few requests as hold no more than so many messages and bytes; a message that is larger goes alone. */
export function requestsOf(
  messages: readonly OutgoingMessage[],
  most: { readonly messages: number; readonly bytes: number },
): readonly (readonly OutgoingMessage[])[] {
  const requests: OutgoingMessage[][] = [];
  let bytes = 0;
  for (const message of messages) {
    const size = Buffer.byteLength(message.body) + Buffer.byteLength(message.id) + besideBytes;
    const last = requests.at(-1);
    if (last === undefined || last.length === most.messages || bytes + size > most.bytes) {
      requests.push([message]);
      bytes = size;
    } else {
      last.push(message);
      bytes += size;
    }
  }
  return requests;
}
