import type { Clock } from "../base/clock.ts";
import type { Incident } from "./incident.ts";
import type { IncidentAnswer, IncidentRunning } from "./wire.ts";

/** Runs the incidents that a platform handed in, one at a time: they share the machine that they measure. */
export interface Replay {
  readonly running: () => IncidentRunning | null;
  readonly start: (name: string) => "started" | "busy" | "unknown";
  readonly list: () => Promise<readonly IncidentAnswer[]>;
}

export function replayOf(incidents: readonly Incident[], clock: () => Clock): Replay {
  let running: IncidentRunning | null = null;
  const failures = new Map<string, string>();

  const run = async (incident: Incident, since: number) => {
    const { name } = incident;
    try {
      await incident.start((line, share) => {
        running = { name, line, share: Math.min(1, Math.max(0, share)), since };
      });
      failures.delete(name);
    } catch (error) {
      failures.set(name, error instanceof Error ? error.message : "It failed.");
    } finally {
      running = null;
    }
  };

  return {
    running: () => running,
    start: (name) => {
      const incident = incidents.find((one) => one.name === name);
      if (incident === undefined) return "unknown";
      if (running !== null) return "busy";
      const since = clock().now();
      running = { name, line: "starting", share: 0, since };
      void run(incident, since);
      return "started";
    },
    list: () =>
      Promise.all(
        incidents.map(async ({ name, title, story, takesSeconds, lastResult }) => ({
          name,
          title,
          story,
          takesSeconds,
          last: (await lastResult()) ?? null,
          failed: failures.get(name) ?? null,
        })),
      ),
  };
}
