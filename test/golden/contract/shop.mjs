import { createReprise, unchecked } from "reprise";
import { memoryLedger } from "reprise/memory";

/** What a service declares, for the golden files beside it. */
export const reprise = createReprise({ service: "shop", undecided: "listed", ledger: memoryLedger() });

reprise.operation({
  name: "order.place",
  owner: "orders",
  input: unchecked(),
  ifRunsAgain: "replays",
  costIfTwice: "money",
  principal: (input) => input.user,
  identity: (input) => [input.reference],
  retention: "30d",
  effects: "external",
  refusals: {
    "sold-out": { status: 409, because: "Nothing is left | of it." },
    "card-declined": { status: 402, because: "The card was declined; nothing was charged." },
  },
  run: async () => null,
});

reprise.operation({
  name: "note: add",
  input: unchecked(),
  principal: "everyone",
  identity: "callers-key",
  retention: "12h",
  effects: "database",
  run: async () => null,
});

reprise.operation({
  name: "stock.set",
  owner: "warehouse",
  input: unchecked(),
  ifRunsAgain: "converges",
  costIfTwice: "nothing",
  effects: "database",
  refusals: { "no-such-item": { status: 404, because: "There is no such item." } },
  run: async () => null,
});
