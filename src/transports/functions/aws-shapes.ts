/** What is used of AWS Lambda's events. */

export interface LambdaContext {
  getRemainingTimeInMillis(): number;
}

/** Of API Gateway (payload 1.0 and 2.0), of a function URL, or of a load balancer. */
export interface LambdaHttpEvent {
  readonly body?: string | null | undefined;
  readonly isBase64Encoded?: boolean | undefined;
  readonly headers?: Readonly<Record<string, string | undefined>> | null | undefined;
  readonly pathParameters?: Readonly<Record<string, string | undefined>> | null | undefined;
  readonly requestContext: {
    /** What the authorizer says of whoever is behind the request. */
    readonly authorizer?: unknown;
    readonly domainName?: string | undefined;
    /** Of payload 2.0. */
    readonly http?: { readonly method: string } | undefined;
    /** Of a load balancer. */
    readonly elb?: unknown;
  };
  /** Of payload 2.0. */
  readonly rawPath?: string | undefined;
  readonly rawQueryString?: string | undefined;
  readonly cookies?: readonly string[] | undefined;
  /** Of payload 1.0. */
  readonly httpMethod?: string | undefined;
  readonly path?: string | undefined;
  readonly multiValueHeaders?: Readonly<Record<string, readonly string[] | undefined>> | null | undefined;
  readonly multiValueQueryStringParameters?: Readonly<Record<string, readonly string[] | undefined>> | null | undefined;
  readonly queryStringParameters?: Readonly<Record<string, string | undefined>> | null | undefined;
}

export interface LambdaHttpResponse {
  readonly statusCode: number;
  readonly headers: Record<string, string>;
  readonly body: string;
  readonly isBase64Encoded: boolean;
}

export interface LambdaSqsRecord {
  readonly messageId: string;
  readonly body: string;
  readonly attributes: { readonly SentTimestamp: string; readonly MessageGroupId?: string | undefined };
  /** The sender's. */
  readonly messageAttributes?:
    | Readonly<Record<string, { readonly stringValue?: string | undefined } | undefined>>
    | undefined;
  readonly eventSourceARN: string;
}

export interface LambdaKinesisRecord {
  readonly kinesis: {
    /** In base64. */
    readonly data: string;
    readonly partitionKey: string;
    readonly sequenceNumber: string;
    /** In seconds. */
    readonly approximateArrivalTimestamp: number;
  };
}

export interface LambdaDynamoRecord {
  readonly eventName?: "INSERT" | "MODIFY" | "REMOVE" | undefined;
  readonly dynamodb?:
    | {
        readonly Keys?: object | undefined;
        readonly NewImage?: object | undefined;
        readonly OldImage?: object | undefined;
        readonly SequenceNumber?: string | undefined;
        /** In seconds. */
        readonly ApproximateCreationDateTime?: number | undefined;
      }
    | undefined;
}

/** What is to be delivered again; needs `ReportBatchItemFailures` of the event source mapping. */
export interface LambdaBatchResponse {
  batchItemFailures: { itemIdentifier: string }[];
}
