/** What is used of `@azure/functions` 4 and of what its host hands over. */

export interface AzureContext {
  readonly triggerMetadata?: Readonly<Record<string, unknown>> | undefined;
  readonly options?: { readonly trigger?: object | undefined } | undefined;
  readonly error: (...told: readonly unknown[]) => void;
}

export interface AzureHttpRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: Iterable<[string, string]>;
  readonly params: Readonly<Record<string, string | undefined>>;
  /** Of App Service's own authentication. */
  readonly user: { readonly id: string } | null;
  readonly body: unknown;
}

export interface AzureHttpResponse {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly body?: string | Uint8Array<ArrayBuffer>;
}

export interface AzureTimer {
  readonly isPastDue: boolean;
  /** Missing where the host keeps no status. */
  readonly scheduleStatus?: { readonly last: string; readonly next: string } | null | undefined;
}

/** What is used of a message of the Service Bus SDK. */
export interface AzureServiceBusMessage {
  readonly body: unknown;
  readonly enqueuedTimeUtc?: Date | undefined;
  readonly sessionId?: string | undefined;
  /** The sender's. */
  readonly applicationProperties?: Readonly<Record<string, unknown>> | undefined;
}

/** What `@azure/functions-extensions-servicebus` hands to a function with `sdkBinding`. */
export interface AzureSettling {
  readonly messages: AzureServiceBusMessage | readonly AzureServiceBusMessage[];
  readonly actions: {
    complete(message: never): unknown;
    abandon(message: never): unknown;
    deadletter(message: never, properties: undefined, reason: string, description: string): unknown;
  };
}
