import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { Redis } from "ioredis";
import { expect, test } from "vitest";
import { cannotRunHere } from "../support/environment.ts";
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
const path = fileURLToPath(new URL("consume/run.mjs", import.meta.url));
const run = async (...options: readonly string[]): Promise<Record<string, unknown>> => {
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
  // its client is real, and its broker these tests' own
  "service-bus": "simulated",
};
const needs = (...names: readonly (keyof typeof versions)[]) =>
  names.filter((name) => versions[name] === undefined).map((name) => `no ${name} answers`);

for (const broker of ["rabbitmq", "nats", "redis-streams", "service-bus"] as const) {
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
