import { defineConfig } from "tsdown";

export default defineConfig({
  entry: {
    index: "src/index.ts",
    memory: "src/stores/memory/index.ts",
    sqlite: "src/stores/sqlite/index.ts",
    web: "src/transports/http/web.ts",
    fastify: "src/transports/http/fastify.ts",
    page: "src/page/index.ts",
    testing: "src/testing/index.ts",
  },
  format: "esm",
  platform: "node",
  target: "node20.19",
  dts: true,
  sourcemap: true,
  clean: true,
});
