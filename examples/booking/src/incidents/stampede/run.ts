import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { startChild } from "../../children.ts";
import type { Progress } from "../scratch.ts";
import { type Measured, measure } from "./measure.ts";
import type { SideDeclaration } from "./protections.ts";
import { replay } from "./replay.ts";
import type { SideReport, SideSettings } from "./side.ts";
import { type Arrival, drawArrivals, story } from "./story.ts";

/** A replay whose visitors came later than this is no replay of the recorded arrivals, and fails. */
const lateAtMostMs = 2_000;

/** Writes the arrivals down, so that every side reads the same ones. */
export async function recordArrivals(directory: string, seed: number, until: number): Promise<string> {
  const file = join(directory, `arrivals-${seed}.json`);
  await writeFile(file, JSON.stringify(drawArrivals(seed, until)));
  return file;
}

export interface RunSettings {
  readonly side: SideDeclaration;
  readonly directory: string;
  readonly arrivalsFile: string;
  readonly scale: number;
  readonly until: number;
  readonly progress: Progress;
}

/** One replay against one side, in a process and a database of its own. */
export async function runSide(settings: RunSettings): Promise<Measured & { readonly arrived: number }> {
  const { side, scale, until, progress } = settings;
  const arrivals = JSON.parse(await readFile(settings.arrivalsFile, "utf8")) as readonly Arrival[];
  const path = join(settings.directory, `${side.name}.db`);
  const child = await startChild<{ readonly port: number }>("stampede-side", [
    JSON.stringify({ path, scale, side } satisfies SideSettings),
  ]);
  try {
    const address = `http://127.0.0.1:${child.ready.port}`;
    await child.ask("prepare");
    let startsAt = 0;
    let told = story.from;
    const replayed = await replay({
      address,
      arrivals,
      scale,
      started: (at) => {
        startsAt = at;
        const setsAt = at + ((story.setTogether - story.from) * 1_000) / scale;
        setTimeout(() => child.process.connected && child.process.send("set"), setsAt - Date.now()).unref();
      },
      progress: (at) => {
        if (at < told) return;
        told += 30;
        progress(`${side.label}: ${Math.round(at)} s of the story`, (at - story.from) / (until - story.from));
      },
    });
    const { queries } = await child.ask<SideReport>("report");
    if (replayed.lateMs > lateAtMostMs) {
      throw new Error(
        `The load generator fell behind its schedule: 1 visitor in 100 came ${Math.round(replayed.lateMs)} ms of the story late ` +
          `(at most ${lateAtMostMs}). The machine is too busy for this replay.`,
      );
    }
    const queriesAt = queries.map((at) => ((at - startsAt) / 1_000) * scale + story.from);
    return { ...measure(replayed.answers, queriesAt, until), arrived: arrivals.length };
  } finally {
    await child.stop();
  }
}
