/** As much of `SQS` of `@aws-sdk/client-sqs` as the source uses. */
export interface SqsClient {
  receiveMessage(input: object, options?: SqsRequestOptions): Promise<{ readonly Messages?: SqsMessage[] | undefined }>;
  deleteMessageBatch(input: SqsBatch): Promise<SqsBatchAnswer>;
  changeMessageVisibilityBatch(input: SqsBatch): Promise<SqsBatchAnswer>;
  sendMessage(input: SqsOutgoing & { readonly QueueUrl: string | undefined }): Promise<unknown>;
  sendMessageBatch(input: SqsBatch): Promise<SqsBatchAnswer>;
  getQueueUrl(input: object): Promise<{ readonly QueueUrl?: string | undefined }>;
  getQueueAttributes(input: object): Promise<{ readonly Attributes?: Partial<Record<string, string>> | undefined }>;
}

export interface SqsRequestOptions {
  readonly abortSignal?: AbortSignal;
}

export interface SqsMessage {
  readonly MessageId?: string | undefined;
  readonly ReceiptHandle?: string | undefined;
  readonly Body?: string | undefined;
  /** Of the queue. */
  readonly Attributes?: Partial<Record<string, string>> | undefined;
  /** Of the sender. */
  readonly MessageAttributes?: Record<string, SqsAttribute> | undefined;
}

export interface SqsAttribute {
  readonly DataType: string | undefined;
  readonly StringValue?: string | undefined;
  readonly BinaryValue?: Uint8Array | undefined;
}

export interface SqsOutgoing {
  readonly MessageBody: string | undefined;
  readonly MessageAttributes?: Record<string, SqsAttribute> | undefined;
  readonly MessageGroupId?: string | undefined;
  readonly MessageDeduplicationId?: string | undefined;
}

/** At most ten. */
export interface SqsBatch {
  readonly QueueUrl: string | undefined;
  readonly Entries: object[] | undefined;
}

export interface SqsBatchAnswer {
  readonly Failed?: { readonly Id: string | undefined; readonly Code: string | undefined }[] | undefined;
}
