import type { Settlement } from "../../contract/source.ts";
import { reasonName, sentAtName, whyName } from "../letters.ts";
import { groupName, groupOf, isFifo, sentAt, sentAttributes, withAttributes } from "./attributes.ts";
import type { SqsClient, SqsMessage } from "./shapes.ts";

/** A copy of it among what is set aside; a crash before the message is deleted leaves two of it, in a FIFO queue one. */
export async function sendAside(
  { client, deadLetterUrl }: { readonly client: SqsClient; readonly deadLetterUrl: string },
  message: SqsMessage,
  { reason, why }: Extract<Settlement, { readonly is: "dead-letter" }>,
): Promise<void> {
  const first = sentAt(message);
  const group = groupOf(message);
  const told = {
    ...{ [reasonName]: reason, [whyName]: why, [groupName]: group },
    [sentAtName]: first === null ? null : String(first),
  };
  await client.sendMessage({
    QueueUrl: deadLetterUrl,
    MessageBody: message.Body ?? "",
    MessageAttributes: withAttributes(sentAttributes(message), told),
    ...fifo(deadLetterUrl, group, message),
  });
}

/** Into its queue again, as it was sent first. */
export async function sendAgain(
  { client, queueUrl }: { readonly client: SqsClient; readonly queueUrl: string },
  message: SqsMessage,
): Promise<void> {
  const first = sentAt(message);
  await client.sendMessage({
    QueueUrl: queueUrl,
    MessageBody: message.Body ?? "",
    MessageAttributes: withAttributes(sentAttributes(message), { [sentAtName]: first === null ? null : String(first) }),
    // its own deduplication would swallow it for five minutes: the copy's takes its place
    ...fifo(queueUrl, groupOf(message), message),
  });
}

function fifo(queueUrl: string, group: string | null, { MessageId = "" }: SqsMessage): object {
  return isFifo(queueUrl) ? { MessageGroupId: group ?? "reprise", MessageDeduplicationId: MessageId } : {};
}
