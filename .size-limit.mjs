import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";

/**
 * What an entry costs whoever loads it: its module with every chunk that it imports at once, zipped. Server code: not
 * minified. What is imported later, by whoever needs it, is not in it: the dialects of loads, YAML.
 */
const budgets = {
  // croner is a tenth of it
  index: "152 kB",
  memory: "21 kB",
  sqlite: "29 kB",
  redis: "30 kB",
  postgres: "46 kB",
  mysql: "36 kB",
  azure: "14 kB",
  "azure-tables": "28 kB",
  dynamodb: "28 kB",
  files: "14 kB",
  "service-bus": "17 kB",
  rabbitmq: "11 kB",
  nats: "13 kB",
  "redis-streams": "13 kB",
  bullmq: "14 kB",
  sqs: "14 kB",
  kafka: "13 kB",
  transactions: "8 kB",
  web: "25 kB",
  fastify: "28 kB",
  client: "13 kB",
  "client/file": "8 kB",
  page: "57 kB",
  admin: "22 kB",
  testing: "68 kB",
  express: "27 kB",
  hono: "26 kB",
  koa: "27 kB",
  nest: "31 kB",
  "azure-functions": "30 kB",
  lambda: "29 kB",
  "working-set": "20 kB",
  cli: "110 kB",
};

function withChunks(file, seen = new Set()) {
  if (seen.has(file)) return seen;
  seen.add(file);
  for (const [, specifier] of readFileSync(file, "utf8").matchAll(/(?:from|import)\s*"(\.[^"]+\.mjs)"/g)) {
    withChunks(join(dirname(file), specifier), seen);
  }
  return seen;
}

export default [
  ...Object.entries(budgets).map(([entry, limit]) => ({
    name: entry === "index" ? "reprise" : `reprise/${entry}`,
    path: [...withChunks(`dist/${entry}.mjs`)],
    gzip: true,
    limit,
  })),
  // What a browser loads, all of it.
  { name: "the page", path: "dist/page-assets/**/*", gzip: true, limit: "82 kB" },
];
