export interface Charge {
  readonly id: string;
  readonly state: "charged" | "declined";
}
export interface ChargeRequest {
  readonly reference: string;
  readonly amountCents: number;
  readonly card: string;
}

export interface RefundRequest {
  readonly reference: string;
  readonly reason: string;
}

export interface Gateway {
  /** Charges once for each key, however often it is asked. Rejects when no answer came: then nobody knows. */
  readonly charge: (request: ChargeRequest, key: string, signal?: AbortSignal) => Promise<Charge>;
  /** Refunds as often as it is asked: it takes no key for that. Rejects when no answer came: then nobody knows. */
  readonly refund: (request: RefundRequest, signal?: AbortSignal) => Promise<{ readonly id: string }>;
}

export function createGateway(address: string): Gateway {
  return {
    charge: async (request, key, signal) => {
      const response = await fetch(`${address}/charges`, {
        method: "POST",
        headers: { "content-type": "application/json", "idempotency-key": key },
        body: JSON.stringify(request),
        signal: signal ?? null,
      });
      if (response.status !== 201 && response.status !== 402)
        throw new Error(`the gateway answered ${response.status}`);
      const answer = (await response.json()) as Charge;
      return { id: answer.id, state: answer.state };
    },
    refund: async (request, signal) => {
      const response = await fetch(`${address}/refunds`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(request),
        signal: signal ?? null,
      });
      if (response.status !== 201) throw new Error(`the gateway answered ${response.status}`);
      const { id } = (await response.json()) as { readonly id: string };
      return { id };
    },
  };
}
