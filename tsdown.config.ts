import { defineConfig } from "tsdown";

export default defineConfig({
  entry: {
    index: "src/index.ts",
    memory: "src/stores/memory/index.ts",
    sqlite: "src/stores/sqlite/index.ts",
    redis: "src/stores/redis/index.ts",
    postgres: "src/stores/postgres/index.ts",
    mysql: "src/stores/mysql/index.ts",
    azure: "src/stores/azure/index.ts",
    "azure-tables": "src/stores/azure-tables/index.ts",
    dynamodb: "src/stores/dynamodb/index.ts",
    files: "src/stores/files/index.ts",
    rabbitmq: "src/sources/rabbitmq/index.ts",
    nats: "src/sources/nats/index.ts",
    "redis-streams": "src/sources/redis-streams/index.ts",
    transactions: "src/stores/transactions/index.ts",
    web: "src/transports/http/web.ts",
    fastify: "src/transports/http/fastify.ts",
    client: "src/client/index.ts",
    "client/file": "src/client/file-keys.ts",
    express: "src/transports/http/express.ts",
    hono: "src/transports/http/hono.ts",
    koa: "src/transports/http/koa.ts",
    nest: "src/transports/http/nest.ts",
    page: "src/page/index.ts",
    admin: "src/admin/index.ts",
    testing: "src/testing/index.ts",
    "working-set": "src/observe/working-set/index.ts",
    cli: "src/cli/main.ts",
    // the command's second process
    "cli-importing": "src/cli/importing.ts",
  },
  format: "esm",
  platform: "node",
  target: "node20.19",
  dts: true,
  sourcemap: true,
  clean: true,
  logLevel: "warn",
  // Whoever installs the package installs nothing with it. A package that joins this list joins THIRD-PARTY-NOTICES.md.
  // The declarations carry the documentation, the maps the sources.
  outputOptions: { comments: { legal: true, annotation: true, jsdoc: false } },
  deps: { onlyBundle: ["canonicalize", "commander", "croner", "devalue", "picocolors", "structured-headers", "yaml"] },
  // Built before, by the workspace `page`.
  copy: [{ from: "page/dist", to: "dist", rename: "page-assets" }],
});
