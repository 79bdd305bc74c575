import type { Answer } from "../child.ts";
import { askChild } from "../child-process.ts";
import type { JobsOptions } from "../jobs/group.ts";
import type { Found } from "../operations/standing.ts";
import { brokers } from "./brokers.ts";
import { measureConsume } from "./consume.ts";
import { promises } from "./promises.ts";
import { measureSameId } from "./same-id.ts";

type Part = (scale: { readonly quick: boolean }) => Promise<Found>;

/** By name: `consume.nats` how fast a queue is emptied, `consume.crash.nats` what becomes of its messages. */
const parts = new Map<string, Part>();
for (const broker of Object.keys(brokers)) {
  parts.set(`consume.${broker}`, (scale) => measureConsume(broker, scale));
  for (const [name, measure] of Object.entries(promises)) {
    parts.set(`consume.${name}.${broker}`, (scale) => measure(broker, scale));
  }
}
parts.set("servicebus.sameId", measureSameId);

/** Messages, beside what somebody would write by hand. What a broker is missing for is left out, and said. */
export async function measureMessages({ quick, only = "", progress, show }: JobsOptions): Promise<void> {
  for (const part of [...parts.keys()].filter((one) => one.startsWith(only))) {
    const began = performance.now();
    const found = (await askChild("messages", [part, quick ? "quick" : "whole"], { withinMs: 1_800_000 })) as Found;
    const seconds = ((performance.now() - began) / 1_000).toFixed(0);
    progress(found.skipped === undefined ? `${part}: ${seconds} s` : `${part}: left out, ${found.skipped}`);
    show(found.figures);
  }
}

export async function serveMessages(name: string, scale: string): Promise<Answer> {
  const part = parts.get(name);
  if (part === undefined) throw new Error(`no such part: ${name}`);
  return () => part({ quick: scale === "quick" });
}
