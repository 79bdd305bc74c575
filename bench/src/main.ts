import { parseArgs } from "node:util";
import { measureCache } from "./cache.ts";
import { measureChurn } from "./churn.ts";
import { type Figure, print } from "./figure.ts";
import { measureOperations } from "./operations.ts";

/**
 * `npm run -s measure -- <group> [--json]`; without a group, `cache` and `operations`.
 * `churn` lasts ten minutes for each eviction, or `--minutes`. `--quick` shows that it runs; `--traces DIR` measures eviction on other traces.
 */

const { positionals, values: options } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: "boolean", default: false },
    quick: { type: "boolean", default: false },
    traces: { type: "string" },
    minutes: { type: "string", default: "10" },
  },
});

const groups: Readonly<Record<string, () => Promise<readonly Figure[]>>> = {
  cache: () => measureCache({ quick: options.quick, traces: options.traces }),
  operations: measureOperations,
  churn: () => measureChurn({ minutes: Number(options.minutes), progress: (said) => console.error(said) }),
};

const unknown = positionals.filter((name) => !Object.hasOwn(groups, name));
if (unknown.length > 0) {
  console.error(`no such group: ${unknown.join(", ")}; there are ${Object.keys(groups).join(", ")}`);
  process.exitCode = 2;
} else {
  for (const name of positionals.length > 0 ? positionals : ["cache", "operations"]) {
    print((await groups[name]?.()) ?? [], options.json);
  }
}
