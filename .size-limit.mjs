import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** What an entry costs whoever loads it: its module with every chunk that it imports, zipped. Server code: not minified. */
const budgets = {
  index: "104 kB",
  memory: "18 kB",
  sqlite: "26 kB",
  mysql: "30 kB",
  web: "18 kB",
  fastify: "18 kB",
  page: "36 kB",
  testing: "32 kB",
  "working-set": "28 kB",
  cli: "60 kB",
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
