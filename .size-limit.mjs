import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** What an entry costs whoever loads it: its module with every chunk that it imports, zipped. Server code: not minified. */
const budgets = {
  index: "110 kB",
  memory: "20 kB",
  sqlite: "31 kB",
  redis: "33 kB",
  postgres: "47 kB",
  mysql: "39 kB",
  transactions: "10 kB",
  web: "28 kB",
  fastify: "34 kB",
  client: "16 kB",
  "client/file": "10 kB",
  page: "54 kB",
  admin: "24 kB",
  testing: "47 kB",
  express: "32 kB",
  hono: "32 kB",
  koa: "32 kB",
  nest: "40 kB",
  "working-set": "28 kB",
  // half of it reads and writes YAML, and is loaded by the commands that do
  cli: "140 kB",
};

function withChunks(file, seen = new Set()) {
  if (seen.has(file)) return seen;
  seen.add(file);
  for (const [, specifier] of readFileSync(file, "utf8").matchAll(/(?:from|import)\s*\(?"(\.[^"]+\.mjs)"/g)) {
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
  { name: "the page", path: "dist/page-assets/**/*", gzip: true, limit: "90 kB" },
];
