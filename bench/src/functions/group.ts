import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openChild } from "../child-process.ts";
import type { Figure } from "../figure.ts";
import type { JobsOptions } from "../jobs/group.ts";
import { median } from "../rounds.ts";
import type { Asked, Called } from "./racer.ts";
import { stores } from "./stores.ts";

/** Of one race, or of several: the worst of each, and of the latest losers the median, for others use this machine too. */
interface Raced {
  readonly effects: number;
  /** Answers that differ; 1: all are equal. */
  readonly answers: number;
  readonly reads: number;
  readonly loserAfterMs: number;
  readonly loserAfterMsWorst: number;
}

/** One process is called fifty times at once, and seven others once each, all for the same work. */
const callsOf = [50, 1, 1, 1, 1, 1, 1, 1];

/** What the work takes, and what its function says of that. */
const works = [
  { workMs: 200, takes: "" },
  { workMs: 2_000, takes: "2s" },
] as const;

/** Functions that race for one piece of work on one store. What a server is missing for is left out, and said. */
export async function measureFunctions({ quick, only = "", progress, show }: JobsOptions): Promise<void> {
  const all: Raced[] = [];
  for (const [name, store] of Object.entries(stores)) {
    if (!`function.race.${name}`.startsWith(only)) continue;
    const created = await store.create().catch((error: unknown) => String(error));
    if (typeof created === "string") {
      progress(`function.race.${name}: left out, ${created}`);
      continue;
    }
    try {
      const raced: Raced[] = [];
      for (const work of works) raced.push(...(await raceOn(name, created.place, work, quick ? 1 : 5)));
      show(figuresOf(`function.race.${name}`, together(raced)));
      all.push(...raced);
    } finally {
      await created.drop();
    }
  }
  if (all.length > 0) show(figuresOf("function.race", together(all)));
}

async function raceOn(
  store: string,
  place: string,
  { workMs, takes }: (typeof works)[number],
  rounds: number,
): Promise<readonly Raced[]> {
  const directory = mkdtempSync(join(tmpdir(), "reprise-functions-"));
  const effects = join(directory, "effects");
  writeFileSync(effects, "");
  const input = [store, place, effects, String(workMs), takes];
  const racers = await Promise.all(callsOf.map(() => openChild("functions", input)));
  try {
    const raced: Raced[] = [];
    for (let round = 0; round < rounds; round += 1) {
      const identity = `${workMs} ${round}`;
      const at = Date.now() + 200;
      const answers = racers.map((racer, place) => {
        const asked: Asked = { identity, calls: callsOf[place] ?? 1, at };
        return racer.ask(asked) as Promise<readonly Called[]>;
      });
      const called = (await Promise.all(answers)).flat();
      const lines = readFileSync(effects, "utf8").split("\n");
      raced.push(racedOf(called, lines.filter((line) => line === identity).length));
    }
    return raced;
  } finally {
    await Promise.all(racers.map((racer) => racer.end()));
    rmSync(directory, { recursive: true, force: true });
  }
}

function racedOf(called: readonly Called[], effects: number): Raced {
  const winner = called.find(({ replayed }) => !replayed)?.endedAt ?? 0;
  const loserAfterMs = Math.max(...called.map(({ endedAt }) => endedAt - winner));
  return {
    effects,
    answers: new Set(called.map(({ body }) => body)).size,
    reads: Math.max(...called.map(({ reads }) => reads)),
    loserAfterMs,
    loserAfterMsWorst: loserAfterMs,
  };
}

function together(raced: readonly Raced[]): Raced {
  const most = (of: keyof Raced) => Math.max(...raced.map((one) => one[of]));
  return {
    effects: most("effects"),
    answers: most("answers"),
    reads: most("reads"),
    loserAfterMs: median(raced.map(({ loserAfterMs }) => loserAfterMs)),
    loserAfterMsWorst: most("loserAfterMsWorst"),
  };
}

function figuresOf(
  name: string,
  { effects, answers, reads, loserAfterMs, loserAfterMsWorst }: Raced,
): readonly Figure[] {
  const lower = "lower" as const;
  return [
    { name: `${name}.effects`, value: effects, unit: "effects", better: lower, goal: 1 },
    { name: `${name}.answers`, value: answers, unit: "answers", better: lower, goal: 1 },
    { name: `${name}.reads`, value: reads, unit: "reads", better: lower, goal: 4 },
    { name: `${name}.loserAfterMs`, value: loserAfterMs, unit: "ms", better: lower, goal: 300 },
    { name: `${name}.loserAfterMsWorst`, value: loserAfterMsWorst, unit: "ms", better: lower, goal: 300 },
  ];
}
