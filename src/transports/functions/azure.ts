import type { Carried } from "../../operation/carry.ts";
import { createAzureHttp } from "./azure-http.ts";
import { type AzureMessageOptions, createMessageHandler } from "./azure-messages.ts";
import type { AzureContext, AzureHttpRequest, AzureHttpResponse, AzureTimer } from "./azure-shapes.ts";
import { type Declared, endsWithinOf } from "./azure-time.ts";
import { type AzureTimerOptions, createTimerHandler } from "./azure-timer.ts";
import type { FunctionCarrier } from "./http.ts";
import { type Kept, upkeepOf } from "./upkeep.ts";

export type { HttpReply, KeptHeader } from "../http/carrier.ts";
export type { AzureMessageOptions } from "./azure-messages.ts";
export type * from "./azure-shapes.ts";
export type { AzureTimerOptions, Tick } from "./azure-timer.ts";
export type { FunctionRequest } from "./http.ts";

export interface AzureHttpCarrier<In, O, R> extends FunctionCarrier<AzureHttpRequest, In, O, R>, Declared {}

/**
 * The handler of `app.serviceBusQueue` or `app.serviceBusTopic`. A message is run under the operation's own identity, and its
 * outcome is in the ledger before the handler returns; copies and redeliveries are answered from there. It throws where an
 * attempt failed, so that the host delivers the message again, at most as often as the queue's `maxDeliveryCount` says. A
 * message that nobody gains by repeating (invalid, a mismatch, too old) goes to the dead letters at once where the function
 * settles by itself (`sdkBinding: true, autoCompleteMessages: false`, with `@azure/functions-extensions-servicebus`); else it
 * throws each time, until the host sets it aside.
 *
 * @example
 * app.serviceBusQueue("seats", {
 *   connection: "ServiceBus", queueName: "seat.book", handler: azureFunction(bookSeat, { endsWithin: "5m" }),
 * });
 * @throws REPRISE_BAD_DECLARATION, REPRISE_BAD_DURATION
 */
function messageHandler<In, R>(
  operation: Carried<In, unknown, R>,
  options: AzureMessageOptions<NoInfer<In>>,
): (message: unknown, context: AzureContext) => Promise<void> {
  return createMessageHandler(operation, options);
}

export const azureFunction = Object.assign(messageHandler, {
  /**
   * The handler of `app.http`. It answers every request and never rejects, as every carrier does: the same headers, statuses
   * and problem documents.
   *
   * @example
   * app.http("book", { methods: ["POST"], handler: azureFunction.http(bookSeat, {
   *   endsWithin: "5m", principal: ({ event }) => event.user?.id ?? "", input: ({ request }) => request.json(),
   * }) });
   * @throws REPRISE_BAD_DECLARATION, REPRISE_BAD_DURATION, REPRISE_BAD_SIZE
   */
  http: <In, O, R>(
    operation: Carried<In, O, R>,
    carrier: AzureHttpCarrier<In, O, R>,
  ): ((request: AzureHttpRequest, context: AzureContext) => Promise<AzureHttpResponse>) =>
    createAzureHttp(operation, carrier),

  /**
   * The handler of `app.timer`. Its work is named by the tick, not by the call: a call that comes twice, or again after a
   * failure, finds what was done. It throws where the work failed, so that the host's retry policy holds.
   *
   * @example
   * app.timer("close-day", { schedule: "0 0 3 * * *", handler: azureFunction.timer(closeDay, {
   *   endsWithin: "10m", input: ({ at }) => ({ day: at.toISOString().slice(0, 10) }),
   * }) });
   * @throws REPRISE_BAD_DECLARATION, REPRISE_BAD_DURATION
   */
  timer: <In, R>(
    operation: Carried<In, unknown, R>,
    options: AzureTimerOptions<NoInfer<In>>,
  ): ((timer: AzureTimer, context: AzureContext) => Promise<void>) => createTimerHandler(operation, options),

  /**
   * The handler of an `app.timer` that does what an instance does in the background, where all of an application are functions
   * (`background: "elsewhere"`): it runs accepted work and goes on with what a crash left, parks lost answers nobody came back
   * for, deletes what is past its keep, and sends what outboxes hold. It ticks no schedule and consumes nothing: the
   * platform's own triggers call functions for those. Several at once share the work.
   *
   * @example
   * app.timer("upkeep", { schedule: "0 * * * * *", handler: azureFunction.upkeep(reprise, { endsWithin: "5m" }) });
   * @throws REPRISE_BAD_DECLARATION, REPRISE_BAD_DURATION
   */
  upkeep: (reprise: Kept, options: Declared): (() => Promise<void>) => {
    const endsWithinMs = endsWithinOf(options, "the function of upkeep");
    const keepUp = upkeepOf(reprise);
    return () => keepUp(endsWithinMs);
  },
});
