import { startChild } from "../children.ts";

export interface MailProcess {
  readonly address: string;
  readonly stop: () => Promise<void>;
}

/** Starts the mail service on a free port, with its own database file. */
export async function startMails(settings: { readonly path: string; readonly workMs: number }): Promise<MailProcess> {
  const child = await startChild<{ readonly address: string }>("mail", [settings.path, String(settings.workMs)]);
  return { address: child.ready.address, stop: child.stop };
}
