import { parseArgs } from "node:util";
import type { IncidentResult } from "reprise/page";
import { failuresOf as doubleChargeFailures, runDoubleCharge } from "./double-charge/index.ts";
import { failuresOf as overlapFailures, runOverlap } from "./overlap/index.ts";
import { failuresOf as redeliveryFailures, runRedelivery } from "./redelivery/index.ts";
import { failuresOf as rerunFailures, runRerun } from "./rerun/index.ts";
import { keepResult } from "./results.ts";
import { runStampede, failuresOf as stampedeFailures } from "./stampede/index.ts";
import { tellResult } from "./tell.ts";

/**
 * npm run -s incident -- stampede|double-charge|rerun|overlap|redelivery [--json] [--seed n] [--quick] [--two-sides]
 *
 * Progress goes to standard error; the result to standard output, for people, or with --json as its last line. Ends with 1
 * when what must be seen was not, or the load generator fell behind. Started by the page, it sends its progress there.
 */

const usage = `npm run -s incident -- stampede|double-charge|rerun|overlap|redelivery [--json] [--seed n] [--quick] [--two-sides]

  --json        progress to standard error, the result as the last line of standard output
  --seed n      other visitors (stampede; default 9), deliveries and moments (rerun, overlap, redelivery)
  --quick       a short run, for a look
  --two-sides   without the replays that take protections away (stampede)`;

function readArguments() {
  try {
    const read = parseArgs({
      allowPositionals: true,
      options: {
        json: { type: "boolean", default: false },
        quick: { type: "boolean", default: false },
        "two-sides": { type: "boolean", default: false },
        seed: { type: "string", default: "9" },
        help: { type: "boolean", default: false },
      },
    });
    if (read.values.help) {
      console.log(usage);
      process.exit(0);
    }
    if (read.positionals.length !== 1) throw new Error("Name one incident.");
    return read;
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : error}\n\n${usage}`);
    process.exit(2);
  }
}
const { values, positionals } = readArguments();
const [name] = positionals;

const progress = (line: string, share: number) => {
  if (process.send === undefined) console.error(`${String(Math.round(share * 100)).padStart(3)}% ${line}`);
  else if (process.connected) process.send({ line, share });
};

try {
  const { summary, failures, ...ran } = await run();
  const broken = failures.map((failure) => ({ name: "Not as it must be", value: failure }));
  const result: IncidentResult = { ...ran.result, facts: [...broken, ...ran.result.facts] };
  if (!values.quick && !values["two-sides"]) await keepResult(name ?? "", result);
  process.send?.({ result });
  if (!values.json) tellResult(result);
  for (const failure of failures) console.error(`Not as it must be: ${failure}.`);
  if (values.json) console.log(JSON.stringify(summary));
  process.exitCode = failures.length === 0 ? 0 : 1;
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
if (process.connected) process.disconnect();

async function run(): Promise<{
  readonly summary: object;
  readonly result: IncidentResult;
  readonly failures: readonly string[];
}> {
  const { quick } = values;
  const seed = Number(values.seed);
  if (!Number.isInteger(seed)) throw new Error("--seed takes a whole number.");
  switch (name) {
    case "stampede": {
      const { result, ...summary } = await runStampede({ seed, quick, twoSides: values["two-sides"], progress });
      return { summary, result, failures: stampedeFailures(summary) };
    }
    case "double-charge": {
      const { result, ...summary } = await runDoubleCharge({ quick, progress });
      return { summary, result, failures: doubleChargeFailures(summary) };
    }
    case "rerun": {
      const { result, ...summary } = await runRerun({ seed, quick, progress });
      return { summary, result, failures: rerunFailures(summary) };
    }
    case "overlap": {
      const { result, withoutKeys, ...summary } = await runOverlap({ seed, quick, progress });
      return { summary, result, failures: overlapFailures({ ...summary, withoutKeys }) };
    }
    case "redelivery": {
      const { result, ...summary } = await runRedelivery({ seed, quick, progress });
      return { summary, result, failures: redeliveryFailures(summary) };
    }
    default:
      throw new Error(`Which incident?\n\n${usage}`);
  }
}
