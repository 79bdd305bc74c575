import { type Child, startChild } from "../../children.ts";
import type { PlatformStart } from "./platform.ts";
import type { Point } from "./points.ts";

/** The platform's process, that can be killed and started again. */
export interface PlatformHost {
  /** Where it listens, or did when it was last seen. */
  readonly address: () => string;
  readonly start: () => Promise<void>;
  /** From now on the process dies at this point. */
  readonly arm: (point: Point) => Promise<void>;
  /** Resolves when it is dead, with how it died. */
  readonly died: () => Promise<NodeJS.Signals | null>;
  readonly stop: () => Promise<void>;
}

export function createPlatformHost(settings: PlatformStart): PlatformHost {
  let child: Child<{ readonly port: number }> | undefined;
  const running = () => {
    if (child === undefined) throw new Error("The platform has not been started.");
    return child;
  };
  return {
    address: () => `http://127.0.0.1:${running().ready.port}`,
    start: async () => {
      child = await startChild("double-charge-platform", [JSON.stringify(settings)]);
    },
    arm: async (point) => void (await running().ask({ arm: point })),
    died: async () => {
      await running().ended;
      return running().process.signalCode;
    },
    stop: async () => child?.stop(),
  };
}
