import { measureCache } from "./cache.ts";
import { type Figure, print } from "./figure.ts";
import { measureOperations } from "./operations.ts";

/** `npm run -s measure -- <group> [--json]`; without a group, all of them. */

const groups: Readonly<Record<string, () => Promise<readonly Figure[]>>> = {
  cache: measureCache,
  operations: measureOperations,
};

const names = process.argv.slice(2).filter((argument) => argument !== "--json");
const unknown = names.filter((name) => !Object.hasOwn(groups, name));
if (unknown.length > 0) {
  console.error(`no such group: ${unknown.join(", ")}; there are ${Object.keys(groups).join(", ")}`);
  process.exitCode = 2;
} else {
  for (const [name, measure] of Object.entries(groups)) {
    if (names.length === 0 || names.includes(name)) print(await measure(), process.argv.includes("--json"));
  }
}
