import type { Answer } from "../child.ts";
import { askChild } from "../child-process.ts";
import type { JobsOptions } from "../jobs/group.ts";
import type { Found } from "../operations/standing.ts";
import { brokers } from "./brokers.ts";
import { measureConsume } from "./consume.ts";
import { type Promised, promises } from "./promises.ts";

/** By name: `consume.nats` how fast a queue is emptied, `consume.crash.nats` what becomes of its messages. */
const parts: Readonly<Record<string, (scale: { readonly quick: boolean }) => Promise<Found>>> = Object.fromEntries(
  Object.keys(brokers).flatMap((broker) => [
    [`consume.${broker}`, (scale) => measureConsume(broker, scale)],
    ...Object.entries(promises).map(([name, measure]): [string, ReturnType<typeof on>] => [
      `consume.${name}.${broker}`,
      on(measure, broker),
    ]),
  ]),
);

function on(measure: Promised, broker: string) {
  return (scale: { readonly quick: boolean }) => measure(broker, scale);
}

/** Messages, beside what somebody would write by hand. What a broker is missing for is left out, and said. */
export async function measureMessages({ quick, only = "", progress, show }: JobsOptions): Promise<void> {
  for (const name of Object.keys(parts).filter((part) => part.startsWith(only))) {
    const began = performance.now();
    const found = (await askChild("messages", [name, quick ? "quick" : "whole"], { withinMs: 1_800_000 })) as Found;
    const seconds = ((performance.now() - began) / 1_000).toFixed(0);
    progress(found.skipped === undefined ? `${name}: ${seconds} s` : `${name}: left out, ${found.skipped}`);
    show(found.figures);
  }
}

export async function serveMessages(name: string, scale: string): Promise<Answer> {
  const part = parts[name];
  if (part === undefined) throw new Error(`no such part: ${name}`);
  return () => part({ quick: scale === "quick" });
}
