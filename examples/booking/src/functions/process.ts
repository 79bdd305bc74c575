import { startChild } from "../children.ts";

export interface FunctionsProcess {
  readonly address: string;
  readonly stop: () => Promise<void>;
}

/** Starts the host of the functions on a free port, on the platform's database. */
export async function startFunctions(settings: {
  readonly path: string;
  readonly gateway: string;
}): Promise<FunctionsProcess> {
  const child = await startChild<{ readonly address: string }>("functions", [settings.path, settings.gateway]);
  return { address: child.ready.address, stop: child.stop };
}
