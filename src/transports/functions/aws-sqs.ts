import { instantIn, sentAtName } from "../../contract/sent-at.ts";
import { nameOf } from "../../operation/carried.ts";
import type { Carried } from "../../operation/carry.ts";
import { createBatchRunner, type LambdaBatchOptions } from "./aws-batch.ts";
import type { LambdaBatchResponse, LambdaContext, LambdaSqsRecord } from "./aws-shapes.ts";

/** @throws REPRISE_BAD_DECLARATION, REPRISE_BAD_DURATION */
export function createLambdaSqs<In>(
  operation: Carried<In, unknown, unknown>,
  options: LambdaBatchOptions<In, LambdaSqsRecord>,
): (event: { readonly Records: readonly LambdaSqsRecord[] }, context: LambdaContext) => Promise<LambdaBatchResponse> {
  const run = createBatchRunner(operation, options, {
    where: `the SQS function of '${nameOf(operation, "an SQS function")}'`,
    read: ({ body }) => JSON.parse(body) as unknown,
  });
  return async ({ Records: records }, context) => {
    const failed = await run(
      records.map((record) => ({ record, sentAt: sentAtOf(record), lane: groupOf(record) })),
      context,
    );
    return {
      batchItemFailures: records
        .filter((_, place) => failed.has(place))
        .map(({ messageId }) => ({ itemIdentifier: messageId })),
    };
  };
}

/** On a standard queue a group shares the queue fairly, and promises no order. */
function groupOf({ eventSourceARN, attributes }: LambdaSqsRecord): string | null {
  return eventSourceARN.endsWith(".fifo") ? (attributes.MessageGroupId ?? "") : null;
}

/** What was sent again, or late, says when it was sent first: its outcome may be forgotten by then. */
function sentAtOf({ attributes, messageAttributes }: LambdaSqsRecord): number | null {
  return instantIn(messageAttributes?.[sentAtName]?.stringValue) ?? instantIn(attributes.SentTimestamp);
}
