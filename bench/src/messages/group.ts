import type { Answer } from "../child.ts";
import { askChild } from "../child-process.ts";
import type { JobsOptions } from "../jobs/group.ts";
import type { Found } from "../operations/standing.ts";
import { brokers } from "./brokers.ts";
import { measureConsume } from "./consume.ts";

/** Messages, beside what somebody would write by hand. What a broker is missing for is left out, and said. */
export async function measureMessages({ quick, only = "", progress, show }: JobsOptions): Promise<void> {
  for (const name of Object.keys(brokers).filter((broker) => `consume.${broker}`.startsWith(only))) {
    const began = performance.now();
    const found = (await askChild("messages", [name, quick ? "quick" : "whole"], { withinMs: 1_800_000 })) as Found;
    const seconds = ((performance.now() - began) / 1_000).toFixed(0);
    progress(
      found.skipped === undefined ? `consume.${name}: ${seconds} s` : `consume.${name}: left out, ${found.skipped}`,
    );
    show(found.figures);
  }
}

export async function serveMessages(name: string, scale: string): Promise<Answer> {
  return () => measureConsume(name, { quick: scale === "quick" });
}
