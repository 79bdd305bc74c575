import type { ConsumeOptions } from "../../../src/consume/declaration.ts";
import type { Source } from "../../../src/contract/source.ts";
import { createReprise, unchecked } from "../../../src/index.ts";
import { memoryLedger } from "../../../src/stores/memory/index.ts";

interface Work {
  readonly reference: string;
}

/** Takes a source's messages, and writes down each run as it begins and as it ends. */
export async function takeWork(
  source: Source,
  work: (reference: string) => Promise<unknown>,
  options: ConsumeOptions<Work> = {},
) {
  const begun: string[] = [];
  const ended: string[] = [];
  const reprise = createReprise({ service: "shop", undecided: "listed", ledger: memoryLedger() });
  const operation = reprise.operation({
    ...{ name: "seat.book", input: unchecked<Work>(), principal: "everyone", costIfTwice: "money", retention: "1d" },
    ...{ ifRunsAgain: "replays", effects: "external" },
    identity: ({ reference }: Work) => [reference],
    run: async ({ input: { reference } }: { readonly input: Work }) => {
      begun.push(reference);
      await work(reference);
      ended.push(reference);
    },
  });
  const consumer = reprise.consume(operation, source, { deliveredWithin: "1d", ...options });
  await reprise.start();
  await consumer.ready;
  return { begun, ended, consumer, close: () => reprise.close() };
}
