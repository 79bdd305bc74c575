import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** What an entry costs whoever loads it: its module with every chunk that it imports, zipped. Server code: not minified. */
const budgets = {
  // three dialects of SQL for loads are a fifth of it, croner a tenth
  index: "150 kB",
  memory: "19 kB",
  sqlite: "28 kB",
  redis: "30 kB",
  postgres: "41 kB",
  mysql: "35 kB",
  azure: "13 kB",
  files: "13 kB",
  transactions: "8 kB",
  web: "22 kB",
  fastify: "26 kB",
  client: "12 kB",
  "client/file": "8 kB",
  page: "52 kB",
  admin: "20 kB",
  testing: "56 kB",
  express: "25 kB",
  hono: "24 kB",
  koa: "25 kB",
  nest: "30 kB",
  "working-set": "20 kB",
  // half of it reads and writes YAML, and is loaded by the commands that do
  cli: "151 kB",
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
  { name: "the page", path: "dist/page-assets/**/*", gzip: true, limit: "78 kB" },
];
