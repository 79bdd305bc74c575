import { defineConfig } from "tsdown";

export default defineConfig({
  entry: {
    index: "src/index.ts",
    memory: "src/stores/memory/index.ts",
    sqlite: "src/stores/sqlite/index.ts",
    mysql: "src/stores/mysql/index.ts",
    web: "src/transports/http/web.ts",
    fastify: "src/transports/http/fastify.ts",
    page: "src/page/index.ts",
    testing: "src/testing/index.ts",
    "working-set": "src/observe/working-set/index.ts",
    cli: "src/cli/main.ts",
  },
  format: "esm",
  platform: "node",
  target: "node20.19",
  dts: true,
  sourcemap: true,
  clean: true,
  logLevel: "warn",
  // Whoever installs the package installs nothing with it. A package that joins this list joins THIRD-PARTY-NOTICES.md.
  deps: { onlyBundle: ["canonicalize", "commander", "devalue", "picocolors", "structured-headers"] },
  // Built before, by the workspace `page`.
  copy: [{ from: "page/dist", to: "dist", rename: "page-assets" }],
});
