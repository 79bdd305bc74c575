import { startChild } from "../children.ts";

export interface GatewayProcess {
  readonly address: string;
  readonly stop: () => Promise<void>;
}

/** Starts the gateway on a free port, with its own database file. */
export async function startGateway(settings: {
  readonly path: string;
  readonly workMs: number;
}): Promise<GatewayProcess> {
  const child = await startChild<{ readonly address: string }>("gateway", [settings.path, String(settings.workMs)]);
  return { address: child.ready.address, stop: child.stop };
}
