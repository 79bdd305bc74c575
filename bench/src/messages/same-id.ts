import { ServiceBusClient } from "@azure/service-bus";
import { createReprise, unchecked } from "reprise";
import { memoryLedger } from "reprise/memory";
import { serviceBus } from "reprise/service-bus";
import { startServiceBus } from "../../../test/support/service-bus/server.ts";
import type { Figure } from "../figure.ts";
import type { Found } from "../operations/standing.ts";

const lockMs = 2_000;
const slowMs = 5_000;
const pairs = 4;

interface Work {
  readonly reference: string;
  readonly ms: number;
}

/** Of each pair one is quick and one is slow, and they share an id, as copies do that carry the business id. */
const messages = Array.from({ length: pairs }, (_, index) =>
  [slowMs, 10].map((ms) => ({ messageId: `R-${index}`, body: { reference: `${index}-${ms}`, ms } satisfies Work })),
).flat();
const work = ({ ms }: Work) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** How many locks end during the work that they are renewed for; the client is the real one, the broker is simulated. */
export async function measureSameId(): Promise<Found> {
  const server = await startServiceBus();
  const [own, clients] = ["own", "clients"].map((name) => server.add(name, { lockMs, maxDeliveries: 1_000 }));
  const connect = () => new ServiceBusClient(server.connectionString());
  const client = connect();
  for (const name of ["own", "clients"]) await client.createSender(name).sendMessages(messages);

  const reprise = createReprise({ service: "bench", undecided: "listed", ledger: memoryLedger() });
  const operation = reprise.operation({
    ...{ name: "work", input: unchecked<Work>(), principal: "everyone", costIfTwice: "money", retention: "1d" },
    ...{ ifRunsAgain: "replays", effects: "external" },
    identity: ({ reference }: Work) => [reference],
    run: ({ input }: { readonly input: Work }) => work(input),
  });
  reprise.consume(operation, serviceBus({ connect, queue: "own" }), { deliveredWithin: "1d" });
  const subscription = client
    .createReceiver("clients")
    .subscribe(
      { processMessage: ({ body }: { readonly body: Work }) => work(body), processError: async () => {} },
      { maxConcurrentCalls: 64 },
    );
  await reprise.start();
  await work({ reference: "all of them", ms: slowMs + lockMs });
  const expired = (name: string, count = 0, goal?: number): Figure => ({
    name: `servicebus.sameId.${name}`,
    ...{ value: count, unit: "locks", better: "lower", goal },
  });
  const figures = [
    expired("lockExpired", own?.counts.lockExpired, 0),
    expired("lockExpired.ofTheClient", clients?.counts.lockExpired),
  ];
  await reprise.close();
  await subscription.close();
  await client.close();
  await server.close();
  return { figures };
}
