import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** What an entry costs whoever loads it: its module with every chunk that it imports, zipped. Server code: not minified. */
const budgets = {
  index: "104 kB",
  memory: "18 kB",
  sqlite: "30 kB",
  redis: "32 kB",
  postgres: "44 kB",
  mysql: "39 kB",
  transactions: "10 kB",
  web: "28 kB",
  fastify: "30 kB",
  client: "16 kB",
  "client/file": "10 kB",
  page: "52 kB",
  admin: "24 kB",
  testing: "41 kB",
  express: "28 kB",
  hono: "28 kB",
  koa: "28 kB",
  nest: "36 kB",
  "working-set": "28 kB",
  // half of it reads and writes YAML, and is loaded by the commands that do
  cli: "132 kB",
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
