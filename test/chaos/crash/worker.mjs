// One of several processes that race through the same work on one SQLite file, and may be killed at any instant.
// It says on stdout what it was told: a line is an acknowledgement, which must hold for ever.
import { createReprise, unchecked } from "reprise";
import { sqliteLedger } from "reprise/sqlite";

const { ledgerPath, gatewayUrl, identities, lease } = JSON.parse(process.argv[2]);

const reprise = createReprise({ service: "crash", undecided: "listed", ledger: sqliteLedger({ path: ledgerPath }) });
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
    return transaction(async (tx) => {
      await tx.query("insert into orders (id, charge) values (?, ?)", [input.id, charge.charge]);
      return { id: input.id, charge: charge.charge };
    });
  },
});
const note = reprise.operation({
  ...common,
  name: "note",
  effects: "database",
  run: async ({ input, tx }) => {
    await tx.query("insert into notes (id) values (?)", [input.id]);
    return { id: input.id };
  },
});

const pending = [];
for (let id = 0; id < identities; id += 1) pending.push({ operation: order, id }, { operation: note, id });
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
      // a busy file or a gateway that is gone for a moment: repeating is safe, which is the point
      process.stderr.write(`${error.code ?? error}\n`);
    }
    pending.push(next);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
await Promise.all([work(), work(), work(), work()]);
await reprise.close();
