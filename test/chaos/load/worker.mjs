// One call of a load, which may be killed at any instant. A line on stdout is its result.
import { createReprise } from "reprise";
import { databases } from "./databases.mjs";

const { database, schema, windows, killAt, killAtWindow } = JSON.parse(process.argv[2]);
const place = await databases[database](schema);
const ledger = place.ledger();
const { leases } = ledger;
let window = 0;
const kill = (point) => {
  if (killAt === point && window >= killAtWindow) process.kill(process.pid, "SIGKILL");
};
const watched = {
  ...ledger,
  leases: {
    ...leases,
    check: async (tx, grip) => {
      window += 1;
      kill("before the fence");
      const isHeld = await leases.check(tx, grip);
      // the next statement is the commit: sent or not, answered or not
      if (killAt === "at the commit" && window >= killAtWindow)
        setTimeout(() => kill("at the commit"), Math.random() * 3);
      return isHeld;
    },
  },
};
const reprise = createReprise({ service: "chaos", owner: "test", undecided: "listed", ledger: watched });
const load = reprise.load({
  name: "sales.fact",
  from: place.staging,
  into: place.fact,
  identity: ["ref", "day"],
  newer: "version",
  ifSameVersionDiffers: "refuse",
  ifSourceRepeatsKey: "refuse",
  ifSourceLost: "keep",
  windows,
});
await reprise.start();
process.stdout.write("began\n");
const result = await load.run({ progress: () => kill("between windows") });
const runs = (await load.runs(1_000)).map(({ counts }) => counts);
process.stdout.write(`${JSON.stringify({ ...result, runs })}\n`);
await reprise.close();
await place.close();
process.exit(0);
