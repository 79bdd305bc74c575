import type { Ledger } from "../../../src/contract/ledger.ts";
import type { Effect, Outcome } from "../../../src/index.ts";
import { createReprise, unchecked } from "../../../src/index.ts";
import type { Store, Tx } from "./store.ts";

/** The operations that every process of these tests declares alike. */

export interface Order {
  readonly id: string;
  readonly ifUnknown: "retry" | "ask" | "park";
}
interface Note {
  readonly id: string;
}
export type Execute = { readonly order: Order } | { readonly note: Note };

/** An outcome, or the code of the error that `execute` rejected with. */
export type Told =
  | { readonly status: "done"; readonly replayed: boolean; readonly value: unknown }
  | { readonly status: Exclude<Outcome<unknown>["status"], "done"> | "refused" }
  | { readonly status: "rejected"; readonly code: string };

interface Charge {
  readonly charge: string;
}

export interface DeclaredOptions {
  readonly gateway: string;
  readonly lease: "3s" | "30s";
  /** Called where a process may be told to stop, or fails: in a transaction after its writes, before and after the charge. */
  readonly halt?: (at: "body" | "send" | "charged", id: string) => Promise<void>;
  readonly aborted?: (id: string) => void;
}

/** `ledger` may stand before the store's own. */
export function declareOperations(store: Store, ledger: Ledger<Tx>, options: DeclaredOptions) {
  const { gateway, halt = async () => undefined, aborted } = options;
  const reprise = createReprise({ service: "crash", undecided: "listed", ledger });

  const send = async (key: string, id: string, signal: AbortSignal): Promise<Charge> => {
    await halt("send", id);
    const body = JSON.stringify({ key, id });
    const response = await fetch(gateway, { method: "POST", body, signal });
    return (await response.json()) as Charge;
  };
  const ask = async (key: string): Promise<Charge | "never-happened"> => {
    const response = await fetch(`${gateway}?${new URLSearchParams({ key })}`);
    return response.status === 404 ? "never-happened" : ((await response.json()) as Charge);
  };
  const charging = ({ id, ifUnknown }: Order): Effect<Charge> => {
    const run = (key: string, signal: AbortSignal) => send(key, id, signal);
    return ifUnknown === "ask" ? { run, ifUnknown: ask, arrivesWithin: "1m" } : { run, ifUnknown };
  };

  const order = reprise.operation({
    name: "order",
    input: unchecked<Order>(),
    principal: "everyone",
    identity: ({ id }) => [id],
    retention: "1d",
    lease: options.lease,
    effects: "external",
    run: async ({ input, effect, transaction, signal }) => {
      signal.addEventListener("abort", () => aborted?.(input.id));
      const { charge } = await effect("charge", charging(input));
      await halt("charged", input.id);
      if (!ledger.transactional) return { charge };
      return transaction(async (tx) => {
        await store.book(tx, input.id);
        await halt("body", input.id);
        return { charge };
      });
    },
  });
  const declareNote = () =>
    reprise.operation({
      name: "note",
      input: unchecked<Note>(),
      principal: "everyone",
      identity: ({ id }) => [id],
      retention: "1d",
      effects: "database",
      run: async ({ input, tx }) => {
        await store.book(tx, input.id);
        await halt("body", input.id);
        return { noted: input.id };
      },
    });
  const note = ledger.transactional ? declareNote() : undefined;

  return {
    /** Executes it, and says in words that pass from process to process what became of it. */
    execute: async (execute: Execute): Promise<Told> => {
      try {
        const outcome = await ("order" in execute ? order.execute(execute.order) : note?.execute(execute.note));
        if (outcome === undefined) throw new Error("this ledger joins no transactions");
        if (outcome.status !== "done") return { status: outcome.status };
        return { status: "done", replayed: outcome.replayed, value: outcome.value };
      } catch (error) {
        return { status: "rejected", code: String((error as { readonly code?: unknown }).code ?? error) };
      }
    },
    close: () => reprise.close(),
  };
}
