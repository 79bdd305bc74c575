import { RepriseError } from "../../base/errors.ts";
import { nameOf } from "../../operation/carried.ts";
import type { Carried } from "../../operation/carry.ts";
import { type BatchRecord, createBatchRunner, type LambdaBatchOptions } from "./aws-batch.ts";
import type { LambdaBatchResponse, LambdaContext, LambdaDynamoRecord, LambdaKinesisRecord } from "./aws-shapes.ts";

export type LambdaStreamRecord = LambdaKinesisRecord | LambdaDynamoRecord;

/**
 * Lambda goes on from the first sequence number that is returned, and delivers all from there again: what was done among it
 * is answered from the ledger.
 *
 * @throws REPRISE_BAD_DECLARATION, REPRISE_BAD_DURATION
 */
export function createLambdaStreams<In, T extends LambdaStreamRecord>(
  operation: Carried<In, unknown, unknown>,
  options: LambdaBatchOptions<In, T>,
): (event: { readonly Records: readonly T[] }, context: LambdaContext) => Promise<LambdaBatchResponse> {
  const where = `the stream function of '${nameOf(operation, "a stream function")}'`;
  const read = (record: T): unknown => {
    if (isKinesis(record)) return JSON.parse(Buffer.from(record.kinesis.data, "base64").toString());
    const why = "a change of a table says not by itself what is to be done.";
    throw new RepriseError("REPRISE_BAD_DECLARATION", { where, why, mend: "Let 'input' make it of the record." });
  };
  const run = createBatchRunner(operation, options, { where, read });
  return async ({ Records: records }, context) => {
    const failed = await run(records.map(batchRecordOf), context);
    const first = records.find((_, place) => failed.has(place));
    return { batchItemFailures: first === undefined ? [] : [{ itemIdentifier: sequenceOf(first) }] };
  };
}

/** Records of one key in the order of their shard. */
function batchRecordOf<T extends LambdaStreamRecord>(record: T): BatchRecord<T> {
  if (isKinesis(record)) {
    const { partitionKey, approximateArrivalTimestamp } = record.kinesis;
    return { record, lane: partitionKey, sentAt: millisecondsOf(approximateArrivalTimestamp) };
  }
  const { Keys: keys = {}, ApproximateCreationDateTime: at } = record.dynamodb ?? {};
  return { record, lane: JSON.stringify(Object.entries(keys).sort()), sentAt: millisecondsOf(at) };
}

function sequenceOf(record: LambdaStreamRecord): string {
  return isKinesis(record) ? record.kinesis.sequenceNumber : (record.dynamodb?.SequenceNumber ?? "");
}

function millisecondsOf(seconds: number | undefined): number | null {
  return seconds === undefined ? null : seconds * 1_000;
}

function isKinesis(record: LambdaStreamRecord): record is LambdaKinesisRecord & typeof record {
  return "kinesis" in record;
}
