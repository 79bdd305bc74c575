import { startChild } from "../children.ts";

export interface PricesProcess {
  readonly address: string;
  readonly stop: () => Promise<void>;
}

/** Starts the price API on a free port, with its own database file. */
export async function startPrices(settings: {
  readonly path: string;
  readonly workMs: number;
  /** Whether a key that it knows is billed again. */
  readonly keys: "honoured" | "ignored";
}): Promise<PricesProcess> {
  const parameters = [settings.path, String(settings.workMs), settings.keys];
  const child = await startChild<{ readonly address: string }>("prices", parameters);
  return { address: child.ready.address, stop: child.stop };
}
