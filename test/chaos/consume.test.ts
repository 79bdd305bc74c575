import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { Redis } from "ioredis";
import { describe, expect, test } from "vitest";
import { cannotRunHere, librdkafka } from "../support/environment.ts";
import { natsVersion } from "../support/nats.ts";
import { postgresVersion } from "../support/postgres.ts";
import { rabbitmqVersion } from "../support/rabbitmq.ts";

/** Of the one that runs on this machine: the run's processes share it. */
async function redisVersion(): Promise<string | undefined> {
  const client = new Redis(process.env["REDIS_URL"] ?? "redis://127.0.0.1:6379", {
    lazyConnect: true,
    retryStrategy: () => null,
  });
  client.on("error", () => {});
  try {
    await client.connect();
    return /redis_version:(\S+)/.exec(await client.info("server"))?.[1];
  } catch {
    return undefined;
  } finally {
    client.disconnect();
  }
}

/** The long run is `npm run -s crash:consume`; this is the same one, small. */
const run = (...options: readonly string[]) => runOf("run", ...options);
const runOf = async (name: string, ...options: readonly string[]): Promise<Record<string, unknown>> => {
  const path = fileURLToPath(new URL(`consume/${name}.mjs`, import.meta.url));
  // a control that does not hold exits with 1, and tells all the same
  const answer = await promisify(execFile)(process.execPath, [path, "--json", ...options]).catch(
    (error: { readonly stdout: string }) => error,
  );
  return JSON.parse(answer.stdout) as Record<string, unknown>;
};
const versions = {
  rabbitmq: await rabbitmqVersion(),
  nats: await natsVersion(),
  postgres: await postgresVersion(),
  "redis-streams": await redisVersion(),
  bullmq: await redisVersion(),
  // in the run's own process
  sqs: "emulated",
  kafka: librdkafka(),
  // its client is real, and its broker these tests' own
  "service-bus": "simulated",
};
const needs = (...names: readonly (keyof typeof versions)[]) =>
  names.filter((name) => versions[name] === undefined).map((name) => `no ${name} answers`);

// several at a time: most of a run waits for the locks and the leases of the killed
describe.concurrent("consumers that are killed", () => {
  for (const broker of ["rabbitmq", "nats", "redis-streams", "bullmq", "sqs", "service-bus", "kafka"] as const) {
    for (const effects of ["database", "external"]) {
      test(`killed at each of five points, consumers of ${broker} with ${effects} effects do each once and lose none, six copies of it included`, async (context) => {
        const [missing] = needs(broker, "postgres");
        if (missing !== undefined) context.skip(`${cannotRunHere}${missing}`);
        const result = await run("--broker", broker, "--effects", effects, "--kills", "5");
        expect(result).toMatchObject({ holds: true, kills: 5, twice: 0, lost: 0, left: 0, setAside: 0 });
      }, 240_000);
    }
  }

  test("the usual check does some twice, under the same kills", async (context) => {
    const [missing] = needs("rabbitmq", "postgres");
    if (missing !== undefined) context.skip(`${cannotRunHere}${missing}`);
    const { twice } = await run("--naive", "--kills", "10");
    expect(twice).toBeGreaterThan(0);
  }, 240_000);
});

for (const broker of ["rabbitmq", "nats", "redis-streams"] as const) {
  test(`messages of ${broker} of one key keep their order, also where a tenth of them fails at first`, async (context) => {
    const [missing] = needs(broker, "postgres");
    if (missing !== undefined) context.skip(`${cannotRunHere}${missing}`);
    const result = await runOf("order", "--broker", broker, "--messages", "500", "--keys", "25");
    expect(result).toMatchObject({ holds: true, inversions: 0, ran: 500, failures: 50, setAside: 0 });
  }, 240_000);

  test(`a consumer of ${broker} that is told to end with 64 messages at work finishes them, and none of them comes again`, async (context) => {
    const [missing] = needs(broker, "postgres");
    if (missing !== undefined) context.skip(`${cannotRunHere}${missing}`);
    const result = await runOf("drain", "--broker", broker);
    expect(result).toMatchObject({
      holds: true,
      inFlight: 64,
      exit: 0,
      redelivered: 0,
      lost: 0,
      twice: 0,
      setAside: 0,
    });
  }, 240_000);

  test(`a message of ${broker} that kills whoever runs it is set aside after its own attempts, and no neighbour with it`, async (context) => {
    const [missing] = needs(broker, "postgres");
    if (missing !== undefined) context.skip(`${cannotRunHere}${missing}`);
    const result = await runOf("poison", "--broker", broker);
    const none = { innocentsSetAside: 0, lost: 0, twice: 0 };
    expect(result).toMatchObject({ ...none, holds: true, crashes: 3, poisonRuns: 3, setAside: 1 });
  }, 240_000);
}
