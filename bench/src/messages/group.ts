import type { Answer } from "../child.ts";
import { askChild } from "../child-process.ts";
import type { JobsOptions } from "../jobs/group.ts";
import type { Found } from "../operations/standing.ts";
import { brokers } from "./brokers.ts";
import { measureConsume } from "./consume.ts";
import { measureSameId } from "./same-id.ts";

/** Messages, beside what somebody would write by hand. What a broker is missing for is left out, and said. */
export async function measureMessages({ quick, only = "", progress, show }: JobsOptions): Promise<void> {
  const parts = [...Object.keys(brokers).map((broker) => `consume.${broker}`), sameId];
  for (const part of parts.filter((one) => one.startsWith(only))) {
    const began = performance.now();
    const found = (await askChild("messages", [part, quick ? "quick" : "whole"], { withinMs: 1_800_000 })) as Found;
    const seconds = ((performance.now() - began) / 1_000).toFixed(0);
    progress(found.skipped === undefined ? `${part}: ${seconds} s` : `${part}: left out, ${found.skipped}`);
    show(found.figures);
  }
}

const sameId = "servicebus.sameId";

export async function serveMessages(part: string, scale: string): Promise<Answer> {
  if (part === sameId) return measureSameId;
  return () => measureConsume(part.replace("consume.", ""), { quick: scale === "quick" });
}
