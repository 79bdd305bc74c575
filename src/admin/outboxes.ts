import type { Inside } from "../observe/inside.ts";
import type { OutboxCounts } from "../outbox/counters.ts";
import type { DeclaredOutbox } from "../outbox/outboxes.ts";
import { find } from "./declared.ts";

export interface ShownOutbox {
  readonly name: string;
  /** The publisher's name; `null`: its messages stay in the ledger until a consumer is done with them. */
  readonly to: string | null;
  /** Messages committed and not sent yet, or not done with; of a queue at most so many. */
  readonly waiting: number;
  /** When the oldest of them was committed, by the store's clock. `null`: none waits. */
  readonly oldestAt: Date | null;
  /** Of this process, since it started. */
  readonly counts: OutboxCounts;
}

/**
 * The outboxes that are declared in this process.
 *
 * @throws REPRISE_BAD_DECLARATION for a name that is not declared here; REPRISE_LEDGER_AWAY
 */
export interface OutboxAdministration {
  readonly list: () => Promise<readonly ShownOutbox[]>;
  readonly show: (name: string) => Promise<ShownOutbox>;
}

export function administerOutboxes(inside: Inside): OutboxAdministration {
  return {
    list: () => Promise.all(inside.outboxes().map(show)),
    show: async (name) => show(find("outbox", inside.outboxes(), name)),
  };
}

async function show({ name, declaration, standing, counts }: DeclaredOutbox): Promise<ShownOutbox> {
  return { name, to: declaration.to?.name ?? null, ...(await standing()), counts: counts() };
}
