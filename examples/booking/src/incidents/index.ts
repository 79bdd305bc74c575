import { fork } from "node:child_process";
import type { Incident, IncidentResult } from "reprise/page";
import { lastResult } from "./results.ts";

type Message = { readonly line: string; readonly share: number } | { readonly result: IncidentResult };

/** For the page. Each runs in a process of its own, with its own ports and scratch databases. */
export const incidents: readonly Incident[] = [
  {
    name: "stampede",
    title: "Stampede",
    story:
      "All availability keys were set together a minute ago, so they expire together, four seconds before an instructor " +
      "announces a batch of workshops. Both sides replay the same recorded arrivals against the same small database.",
    takesSeconds: 230,
    start: (progress) => startIncident("stampede", progress),
    lastResult: () => lastResult("stampede"),
  },
  {
    name: "double-charge",
    title: "Double charge",
    story:
      "The platform is killed at every step of a booking, above all after the gateway charged and before that was recorded. " +
      "It is restarted, and the client retries with the same key.",
    takesSeconds: 170,
    start: (progress) => startIncident("double-charge", progress),
    lastResult: () => lastResult("double-charge"),
  },
  {
    name: "rerun",
    title: "Rerun",
    story:
      "A nightly job loads what was delivered into the fact table. It is started, started again while it runs, killed half way " +
      "and rerun, week after week; then half a year is run again, older months after newer ones.",
    takesSeconds: 100,
    start: (progress) => startIncident("rerun", progress),
    lastResult: () => lastResult("rerun"),
  },
  {
    name: "overlap",
    title: "Overlap",
    story:
      "A worker asks a price for every customer who changed, and each call is billed and answered differently. The next worker " +
      "comes before the last one has ended, and one of them is killed.",
    takesSeconds: 60,
    start: (progress) => startIncident("overlap", progress),
    lastResult: () => lastResult("overlap"),
  },
  {
    name: "redelivery",
    title: "Redelivery",
    story:
      "A cancellation tells its user by mail, through a queue that delivers again what nobody acknowledged. Consumers are killed " +
      "between a mail and its acknowledgement, and everywhere else, with the two usual checks and with Reprise.",
    takesSeconds: 120,
    start: (progress) => startIncident("redelivery", progress),
    lastResult: () => lastResult("redelivery"),
  },
];

const running = new Set<() => void>();

/** Ends the incident that is under way; for the platform's own end. */
export function stopIncidents(): void {
  for (const stop of running) stop();
}

function startIncident(name: string, progress: (line: string, share: number) => void): Promise<IncidentResult> {
  return new Promise((resolve, reject) => {
    if (running.size > 0) return reject(new Error("An incident is under way already."));
    const child = fork(new URL("./incident.mjs", import.meta.url), [name], {
      stdio: ["ignore", "ignore", "pipe", "ipc"],
    });
    const stop = () => void child.kill("SIGTERM");
    running.add(stop);
    let result: IncidentResult | undefined;
    let complaint = "";
    child.stderr?.on("data", (text: Buffer) => {
      complaint = (complaint + text.toString("utf8")).slice(-2_000);
    });
    child.on("message", (message: Message) => {
      if ("result" in message) result = message.result;
      else progress(message.line, message.share);
    });
    child.once("error", (error) => {
      running.delete(stop);
      reject(error);
    });
    child.once("close", () => {
      running.delete(stop);
      if (result === undefined) reject(new Error(complaint.trim() || `The incident '${name}' ended without a result.`));
      else resolve(result);
    });
  });
}
