// Queues of Azure Service Bus: its client is real, and its broker the one of these tests, which runs beside the receivers.
import { randomUUID } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { ServiceBusClient } from "@azure/service-bus";
import { serviceBus } from "reprise/service-bus";

const root = fileURLToPath(new URL("../../../..", import.meta.url));
// whoever creates the queue tells those that it starts
const variable = "REPRISE_SERVICE_BUS";
const connect = () => new ServiceBusClient(process.env[variable], { retryOptions: { maxRetries: 0 } });

/** The broker's program is TypeScript. */
async function startBroker() {
  const { build } = await import("tsdown");
  // inside the project, so that the program finds what it needs
  const cache = join(root, "node_modules/.cache");
  mkdirSync(cache, { recursive: true });
  const outDir = mkdtempSync(join(cache, "reprise-service-bus-"));
  try {
    await build({
      entry: { server: join(root, "test/support/service-bus/server.ts") },
      ...{ config: false, outDir, format: "esm", platform: "node", dts: false, logLevel: "error" },
    });
    return await (await import(pathToFileURL(join(outDir, "server.mjs")).href)).startServiceBus();
  } finally {
    rmSync(outDir, { recursive: true, force: true });
  }
}

const on = (sessions) => ({
  source: (name) => serviceBus({ connect, queue: name, ...(sessions && { sessions: 4 }) }),
  async create(name) {
    const server = await startBroker();
    process.env[variable] = server.connectionString();
    // as long as a crash is waited for
    const queue = server.add(name, { lockMs: 2_000, maxDeliveries: 10_000, sessions });
    const client = connect();
    const sender = client.createSender(name);
    return {
      send: async (bodies) => {
        for (const body of bodies) {
          // an order's copies are one session
          const sessionId = sessions ? JSON.parse(body).reference : undefined;
          await sender.sendMessages({ body: Buffer.from(body), messageId: randomUUID(), sessionId });
        }
      },
      left: async () => queue.size,
      setAside: async () => queue.deadLetters.size,
      drop: async () => {
        await client.close();
        await server.close();
      },
    };
  },
  async receive(name, most, handle) {
    const receiver = connect().createReceiver(name, { skipParsingBodyAsJson: true });
    const processMessage = ({ body }) => handle(String(body));
    receiver.subscribe({ processMessage, processError: async () => {} }, { maxConcurrentCalls: most });
  },
});

export const onServiceBus = on(false);
export const onServiceBusSessions = on(true);
