import type { SourceStanding } from "../../contract/source.ts";
import type { JetStream } from "./shapes.ts";

export async function standingOf(
  client: JetStream,
  { stream, consumer, deadLetter }: { readonly stream: string; readonly consumer: string; readonly deadLetter: string },
): Promise<SourceStanding> {
  const { num_pending: waiting } = await (await client.consumers.get(stream, consumer)).info();
  const { streams } = await client.jetstreamManager();
  const asked = { subjects_filter: deadLetter };
  const { subjects } = (await streams.info(await streams.find(deadLetter), asked)).state;
  return { waiting, setAside: subjects?.[deadLetter] ?? 0 };
}
