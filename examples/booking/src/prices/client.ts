/** What a customer's cover costs: asked of another company, which bills each answer and answers differently each time. */
export interface Price {
  /** The answer's own number, on the bill. */
  readonly id: string;
  readonly cents: number;
  /** ISO 8601. */
  readonly at: string;
}

export interface PriceRequest {
  readonly customer: string;
  /** Which change of the customer's data it is asked for: only for that side's own books. */
  readonly change: number;
}

export interface Bill {
  /** Requests that came. */
  readonly calls: number;
  /** Of them those that cost money. */
  readonly billed: number;
  readonly cents: number;
  /** Changes of a customer that were paid for more than once. */
  readonly billedTwice: number;
}

export interface Prices {
  /** Bills once for each key, and answers that alike; without a key, for each call. Rejects when no answer came. */
  readonly ask: (request: PriceRequest, key: string | null, signal?: AbortSignal) => Promise<Price>;
  readonly bill: (signal?: AbortSignal) => Promise<Bill>;
}

export function createPrices(address: string): Prices {
  const call = async (path: string, init: RequestInit): Promise<unknown> => {
    const response = await fetch(address + path, init);
    if (!response.ok) throw new Error(`the price API answered ${response.status}`);
    return response.json();
  };
  return {
    ask: async (request, key, signal) => {
      const headers = { "content-type": "application/json", ...(key === null ? {} : { "idempotency-key": key }) };
      const init = { method: "POST", headers, body: JSON.stringify(request), signal: signal ?? null };
      return (await call("/prices", init)) as Price;
    },
    bill: async (signal) => (await call("/bill", { signal: signal ?? null })) as Bill,
  };
}
