import type { Answer } from "./child.ts";
import { type Child, ChildEnded, openChild } from "./child-process.ts";
import type { Figure } from "./figure.ts";
import { reprise } from "./traps/ours.ts";
import { rivals } from "./traps/rivals.ts";
import { type Scenario, scenarios } from "./traps/scenarios.ts";
import type { Library } from "./traps/subject.ts";

/** A record of which library falls into which trap. It judges none of them: it is what the named tests are held against. */

const libraries: readonly Library[] = [...rivals, reprise];

export interface Verdict {
  readonly scenario: Scenario;
  readonly library: string;
  readonly holds: boolean;
  readonly seen: string | undefined;
}

/** In a process of its own: a trap may end it. */
export async function serveTraps(name = ""): Promise<Answer> {
  const library = libraries.find((one) => one.name === name);
  return async (question) => {
    const scenario = scenarios[Number(question)];
    if (library === undefined || scenario === undefined) throw new Error(`no such library or trap: ${name}`);
    return (await scenario.run(library)) ?? null;
  };
}

export async function measureTraps(progress: (said: string) => void): Promise<readonly Verdict[]> {
  const verdicts: Verdict[] = [];
  const waiting = [...libraries];
  const work = async () => {
    for (let library = waiting.shift(); library !== undefined; library = waiting.shift()) {
      progress(`traps: ${library.name}`);
      verdicts.push(...(await judge(library)));
    }
  };
  await Promise.all([work(), work()]);
  return verdicts;
}

async function judge(library: Library): Promise<readonly Verdict[]> {
  const verdicts: Verdict[] = [];
  let child: Child | undefined;
  for (const [index, scenario] of scenarios.entries()) {
    if (!scenario.needs.every((feature) => library.features.includes(feature))) continue;
    child ??= await openChild("traps", [library.name]);
    const seen = await child.ask(index, { withinMs: 8_000 }).catch(async (error: Error) => {
      if (!(error instanceof ChildEnded)) return error.message;
      await child?.end();
      child = undefined;
      return `the process ended: ${reasonIn(error.lastWords)}`;
    });
    verdicts.push({
      scenario,
      library: library.name,
      holds: seen === null,
      seen: seen === null ? undefined : String(seen),
    });
  }
  await child?.end();
  return verdicts;
}

/** A stack's first line says what was thrown; the lines before it quote the code that threw. */
function reasonIn(lastWords: string): string {
  const reason = lastWords.split("\n").find((line) => /^\s*\[?\w*Error\b/.test(line));
  return reason?.trim() ?? "no end after 8 s";
}

/** 1: all that belongs to the trap holds; 0: something of it does not. */
export function figuresOf(verdicts: readonly Verdict[]): readonly Figure[] {
  const numbers = [...new Set(scenarios.map(({ number }) => number))];
  return numbers.flatMap((number) =>
    libraries.flatMap(({ name }) => {
      const of = verdicts.filter((verdict) => verdict.scenario.number === number && verdict.library === name);
      if (of.length === 0) return [];
      const value = of.every(({ holds }) => holds) ? 1 : 0;
      return [{ name: `trap.${number}.${name}`, value, unit: "holds", better: "higher" } as const];
    }),
  );
}

export function printTraps(verdicts: readonly Verdict[]): void {
  const of = (scenario: Scenario, library: string) =>
    verdicts.find((verdict) => verdict.scenario === scenario && verdict.library === library);
  const width = Math.max(...scenarios.map(({ title }) => title.length)) + 4;
  console.log(`${"".padEnd(width)}${libraries.map(({ name }) => `  ${name}`).join("")}`);
  for (const scenario of scenarios) {
    const cells = libraries.map(({ name }) => {
      const verdict = of(scenario, name);
      return `  ${(verdict === undefined ? "–" : verdict.holds ? "holds" : "falls").padEnd(name.length)}`;
    });
    console.log(`${`${scenario.number}`.padStart(2)}  ${scenario.title.padEnd(width - 4)}${cells.join("")}`);
  }
  for (const { scenario, library, holds, seen } of verdicts) {
    if (!holds) console.log(`${scenario.number}, ${scenario.title}: ${library}: ${seen}`);
  }
}
