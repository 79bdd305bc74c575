import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Installed, install, link } from "./installed.ts";

/** Loading an entry loads what it needs and no more: no store, no peer, nothing that would have to be installed. */

let installed: Installed;
beforeAll(async () => {
  installed = await install();
  // Where the peers are installed, they still are not loaded before they are used.
  for (const name of [
    "fastify",
    "express",
    "hono",
    "koa",
    "@nestjs/common",
    "ioredis",
    "libsql",
    "mysql2",
    "pg",
    "postgres",
    "redis",
    "@azure/storage-blob",
  ])
    link(installed, name);
  installed.write(
    "hooks.mjs",
    `import { writeSync } from "node:fs";
     export async function resolve(specifier, context, next) {
       const resolved = await next(specifier, context);
       writeSync(1, JSON.stringify({ specifier, url: resolved.url, from: context.parentURL }) + "\\n");
       return resolved;
     }`,
  );
  installed.write("register.mjs", `import { register } from "node:module"; register("./hooks.mjs", import.meta.url);`);
});
afterAll(() => installed.remove());

interface Resolved {
  readonly specifier: string;
  readonly url: string;
  readonly from: string | undefined;
}

async function load(entry: string): Promise<readonly Resolved[]> {
  const program = `const loaded = await import(${JSON.stringify(entry)}); if (Object.keys(loaded).length === 0) process.exit(9);`;
  const printed = await installed.node(["--import", "./register.mjs", "--input-type=module", "-e", program]);
  return printed
    .split("\n")
    .filter((line) => line.startsWith("{"))
    .map((line) => JSON.parse(line) as Resolved);
}

const entries = [
  "reprise",
  "reprise/memory",
  "reprise/sqlite",
  "reprise/redis",
  "reprise/postgres",
  "reprise/mysql",
  "reprise/azure",
  "reprise/azure-tables",
  "reprise/dynamodb",
  "reprise/files",
  "reprise/service-bus",
  "reprise/rabbitmq",
  "reprise/nats",
  "reprise/redis-streams",
  "reprise/bullmq",
  "reprise/sqs",
  "reprise/kafka",
  "reprise/transactions",
  "reprise/web",
  "reprise/fastify",
  "reprise/client",
  "reprise/client/file",
  "reprise/express",
  "reprise/hono",
  "reprise/koa",
  "reprise/nest",
  "reprise/azure-functions",
  "reprise/lambda",
  "reprise/page",
  "reprise/testing",
];

describe.each(entries)("%s", (entry) => {
  test("loads nothing but its own modules and Node's", async () => {
    const resolved = await load(entry);
    const own = resolved.filter(({ from }) => from?.includes("/node_modules/reprise/"));
    const foreign = own.filter(
      ({ specifier, url }) => !specifier.startsWith("node:") && !url.includes("/node_modules/reprise/dist/"),
    );
    expect(resolved.some(({ specifier }) => specifier === entry)).toBe(true);
    expect(foreign).toEqual([]);
    expect(
      resolved.filter(({ url }) =>
        /node_modules\/(@aws-sdk|@azure|@nats-io|amqplib|bullmq|kafkajs|fastify|express|hono|koa|@nestjs|ioredis|pg|postgres|libsql|redis)|node:sqlite/.test(
          url,
        ),
      ),
    ).toEqual([]);
  });

  test("leaves the process free to end", async () => {
    await expect(installed.node(["--input-type=module", "-e", `await import(${JSON.stringify(entry)})`])).resolves.toBe(
      "",
    );
  });
});

test("the root loads no store and no transport", async () => {
  const urls = (await load("reprise")).map(({ url }) => url).join("\n");
  expect(urls).not.toMatch(
    /dist\/(memory|sqlite|redis|mysql|postgres|azure|azure-tables|dynamodb|files|rabbitmq|nats|redis-streams|bullmq|sqs|kafka|service-bus|transactions|web|fastify|express|hono|koa|nest|azure-functions|lambda|client|page|testing)\.mjs/,
  );
});

test("the client loads nothing of Node's, so that a browser can load it", async () => {
  const from = (await load("reprise/client")).filter((resolved) => resolved.from?.includes("/node_modules/reprise/"));
  expect(from.length).toBeGreaterThan(0);
  expect(from.filter(({ url }) => url.startsWith("node:"))).toEqual([]);
});

test("the hook sees what is loaded: a peer that a module does import is found", async () => {
  installed.write("imports-fastify.mjs", `import "fastify"; export const loaded = true;`);
  const resolved = await load("./imports-fastify.mjs");
  expect(resolved.some(({ url }) => url.includes("node_modules/fastify"))).toBe(true);
});
