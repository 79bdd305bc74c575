import { parseArgs } from "node:util";
import { measureCache } from "./cache.ts";
import { measureChurn } from "./churn.ts";
import { type Figure, print } from "./figure.ts";
import { measureFunctions } from "./functions/group.ts";
import { measureJobs } from "./jobs/group.ts";
import { measureMessages } from "./messages/group.ts";
import { measureOperations } from "./operations/group.ts";
import { measureSizing } from "./sizing.ts";
import { figuresOf, measureTraps, printTraps } from "./traps.ts";

/**
 * `npm run -s measure -- <group> [--json]`; without a group, `cache` and `operations`.
 * `churn` lasts ten minutes for each eviction, or `--minutes`. `traps` records who falls into which trap.
 * `--quick` shows that it runs; `--traces DIR` measures eviction on other traces; `--only atomic.postgres` measures that part
 * of `operations`, of `jobs`, of `messages` or of `functions`.
 */

const { positionals, values: options } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: "boolean", default: false },
    quick: { type: "boolean", default: false },
    traces: { type: "string" },
    only: { type: "string" },
    minutes: { type: "string", default: "10" },
  },
});

const show = (figures: readonly Figure[]) => print(figures, options.json);
const progress = (said: string) => console.error(said);

const groups: Readonly<Record<string, () => Promise<void>>> = {
  cache: async () => show(await measureCache({ quick: options.quick, traces: options.traces, progress })),
  operations: () => measureOperations({ quick: options.quick, only: options.only, progress, show }),
  jobs: () => measureJobs({ quick: options.quick, only: options.only, progress, show }),
  messages: () => measureMessages({ quick: options.quick, only: options.only, progress, show }),
  functions: () => measureFunctions({ quick: options.quick, only: options.only, progress, show }),
  sizing: async () => show(await measureSizing({ quick: options.quick, progress })),
  churn: async () => show(await measureChurn({ minutes: Number(options.minutes), progress })),
  traps: async () => {
    const verdicts = await measureTraps(progress);
    if (options.json) show(figuresOf(verdicts));
    else printTraps(verdicts);
  },
};

const unknown = positionals.filter((name) => !Object.hasOwn(groups, name));
if (unknown.length > 0) {
  console.error(`no such group: ${unknown.join(", ")}; there are ${Object.keys(groups).join(", ")}`);
  process.exitCode = 2;
} else {
  for (const name of positionals.length > 0 ? positionals : ["cache", "operations"]) await groups[name]?.();
}
