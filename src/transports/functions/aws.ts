import type { Carried } from "../../operation/carry.ts";
import type { LambdaBatchOptions } from "./aws-batch.ts";
import { createLambdaHttp } from "./aws-http.ts";
import type {
  LambdaBatchResponse,
  LambdaContext,
  LambdaHttpEvent,
  LambdaHttpResponse,
  LambdaSqsRecord,
} from "./aws-shapes.ts";
import { createLambdaSqs } from "./aws-sqs.ts";
import { createLambdaStreams, type LambdaStreamRecord } from "./aws-streams.ts";
import type { FunctionCarrier } from "./http.ts";
import { type Kept, upkeepOf } from "./upkeep.ts";

export type { HttpReply, KeptHeader } from "../http/carrier.ts";
export type { LambdaBatchOptions } from "./aws-batch.ts";
export type * from "./aws-shapes.ts";
export type { LambdaStreamRecord } from "./aws-streams.ts";
export type { FunctionRequest } from "./http.ts";

/** Handlers of AWS Lambda. What is left of an invocation bounds leases and waiting; outcomes are stored before the answer. */
export const lambda = {
  /**
   * Answers requests of API Gateway (payload 1.0 and 2.0), of function URLs and of load balancers, as every carrier does: the
   * same headers, statuses and problem documents. It never rejects.
   *
   * @example
   * export const handler = lambda.http(bookSeat, {
   *   principal: ({ event }) => userOf(event.requestContext.authorizer), input: ({ request }) => request.json(),
   * });
   * @throws REPRISE_BAD_DECLARATION, REPRISE_BAD_DURATION, REPRISE_BAD_SIZE
   */
  http: <In, O, R>(
    operation: Carried<In, O, R>,
    carrier: FunctionCarrier<LambdaHttpEvent, In, O, R>,
  ): ((event: LambdaHttpEvent, context: LambdaContext) => Promise<LambdaHttpResponse>) =>
    createLambdaHttp(operation, carrier),

  /**
   * Takes the messages of an SQS queue, each under the operation's own identity, and returns those to be delivered again. Of
   * a FIFO queue's group all from the first that failed on are returned, and other groups go on. What is returned too often
   * the queue's own redrive policy sets aside, also what nobody gains by repeating (invalid, a mismatch, too old): a function
   * cannot set aside a single message, and `maxReceiveCount` counts crashes of the whole batch too.
   *
   * @example
   * export const handler = lambda.sqs(bookSeat); // with ReportBatchItemFailures
   * @throws REPRISE_BAD_DECLARATION, REPRISE_BAD_DURATION
   */
  sqs: <In, R>(
    operation: Carried<In, unknown, R>,
    options: LambdaBatchOptions<In, LambdaSqsRecord> = {},
  ): ((
    event: { readonly Records: readonly LambdaSqsRecord[] },
    context: LambdaContext,
  ) => Promise<LambdaBatchResponse>) => createLambdaSqs(operation, options),

  /**
   * Takes the records of a Kinesis stream, or of a DynamoDB stream (then `input` says what a change asks for). Those of one
   * key run one after the other; the first that failed is returned, from which on Lambda delivers again.
   *
   * @example
   * export const handler = lambda.streams(bookSeat); // with ReportBatchItemFailures
   * @throws REPRISE_BAD_DECLARATION, REPRISE_BAD_DURATION
   */
  streams: <In, R, T extends LambdaStreamRecord = LambdaStreamRecord>(
    operation: Carried<In, unknown, R>,
    options: LambdaBatchOptions<In, T> = {},
  ): ((event: { readonly Records: readonly T[] }, context: LambdaContext) => Promise<LambdaBatchResponse>) =>
    createLambdaStreams(operation, options),

  /**
   * Does what an instance does in the background, where all of an application are functions (`background: "elsewhere"`): it
   * runs accepted work and goes on with what a crash left, parks lost answers nobody came back for, deletes what is past its
   * keep, and sends what outboxes hold. It ticks no schedule and consumes nothing: the platform's own triggers call functions
   * for those. For a schedule of EventBridge; several at once share the work.
   *
   * @example
   * export const handler = lambda.upkeep(reprise);
   * @throws REPRISE_BAD_DECLARATION
   */
  upkeep: (reprise: Kept): ((event: unknown, context: LambdaContext) => Promise<void>) => {
    const keepUp = upkeepOf(reprise);
    return (_, context) => keepUp(context.getRemainingTimeInMillis());
  },
} as const;
