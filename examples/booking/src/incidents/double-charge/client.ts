import { tokenOf } from "../../database/schema.ts";

/** What a client was told in the end, and after how many attempts. */
export interface Told {
  readonly told: "booked" | "refused" | "nothing";
  readonly replayed: boolean;
  readonly attempts: number;
}

export interface Order {
  readonly reference: string;
  readonly workshop: string;
}

export interface Client {
  /** Sends the order again and again with the same key until it is told what became of it. */
  readonly book: (order: Order) => Promise<Told>;
  /** Sends it once and hangs up after `ms`. */
  readonly hangUp: (order: Order, ms: number) => Promise<void>;
}

/** Who orders. */
export const user = "alice";
const pauseMs = 100;
/** Long enough for a restart and for the dead owner's lease. */
const givesUpAfterMs = 30_000;

export function createClient(address: () => string, path: string): Client {
  const send = ({ reference, workshop }: Order, signal?: AbortSignal) =>
    fetch(address() + path, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        authorization: `Bearer ${tokenOf(user)}`,
        "idempotency-key": `key-of-${reference}`,
      },
      body: JSON.stringify({ reference, workshop, user, card: "card-of-alice" }),
      signal: signal ?? AbortSignal.timeout(5_000),
    });

  return {
    book: async (order) => {
      const until = performance.now() + givesUpAfterMs;
      for (let attempts = 1; performance.now() < until; attempts += 1) {
        try {
          const response = await send(order);
          const body = (await response.json().catch(() => ({}))) as { readonly code?: string };
          if (response.status === 201) {
            return { told: "booked", replayed: response.headers.has("idempotency-replayed"), attempts };
          }
          // still at work, or failed in a way that says: again
          const again = body.code === "REPRISE_RUNNING" || response.status >= 500;
          if (!again) return { told: "refused", replayed: false, attempts };
        } catch {
          // no answer: nobody listens, or the process died over it
        }
        await new Promise((resolve) => setTimeout(resolve, pauseMs));
      }
      return { told: "nothing", replayed: false, attempts: 0 };
    },
    hangUp: async (order, ms) => {
      await send(order, AbortSignal.timeout(ms)).catch(() => undefined);
    },
  };
}
