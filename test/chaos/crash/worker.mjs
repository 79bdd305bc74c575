// One of several processes that race through the same work on one ledger, and may be killed at any instant.
// It says on stdout what it was told: a line is an acknowledgement, which must hold for ever.
import { createReprise, unchecked } from "reprise";
import { openLedger } from "./places.mjs";

const { where, gatewayUrl, identities, lease } = JSON.parse(process.argv[2]);

const store = openLedger(where);
const { ledger } = store;
const reprise = createReprise({ service: "crash", undecided: "listed", ledger });
const common = {
  input: unchecked(),
  principal: "everyone",
  identity: (input) => [input.id],
  retention: "1d",
};
const order = reprise.operation({
  ...common,
  name: "order",
  effects: "external",
  lease,
  run: async ({ input, effect, transaction, signal }) => {
    const charge = await effect("charge", {
      ifUnknown: "retry",
      run: async (key) => {
        const response = await fetch(gatewayUrl, {
          method: "POST",
          body: JSON.stringify({ key, id: input.id }),
          signal,
        });
        return await response.json();
      },
    });
    const told = { id: input.id, charge: charge.charge };
    if (!ledger.transactional) return told;
    return transaction(async (tx) => {
      await store.order(tx, input.id, charge.charge);
      return told;
    });
  },
});
const declareNote = () =>
  reprise.operation({
    ...common,
    name: "note",
    effects: "database",
    run: async ({ input, tx }) => {
      await store.note(tx, input.id);
      return { id: input.id };
    },
  });
const operations = ledger.transactional ? [order, declareNote()] : [order];

const pending = [];
for (let id = 0; id < identities; id += 1) pending.push(...operations.map((operation) => ({ operation, id })));
for (let index = pending.length - 1; index > 0; index -= 1) {
  const other = Math.floor(Math.random() * (index + 1));
  [pending[index], pending[other]] = [pending[other], pending[index]];
}

async function work() {
  for (let next = pending.shift(); next !== undefined; next = pending.shift()) {
    const { operation, id } = next;
    try {
      const outcome = await operation.execute({ id });
      if (outcome.status === "done") {
        const line = JSON.stringify({ name: operation.name, id, value: outcome.value, replayed: outcome.replayed });
        process.stdout.write(`${line}\n`);
        continue;
      }
      if (outcome.status !== "running") throw new Error(`told ${outcome.status}`);
    } catch (error) {
      // a busy ledger or a gateway that is gone for a moment: repeating is safe, which is the point
      process.stderr.write(`${error.code ?? error}\n`);
    }
    pending.push(next);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
await Promise.all([work(), work(), work(), work()]);
await reprise.close();
await store.end();
