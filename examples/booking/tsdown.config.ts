import { defineConfig } from "tsdown";

/** Every entry is a process or a thread of its own, or what a command imports. */
export default defineConfig({
  entry: {
    main: "src/main.ts",
    contract: "src/contract.ts",
    gateway: "src/gateway/main.ts",
    prices: "src/prices/main.ts",
    mail: "src/mail/main.ts",
    functions: "src/functions/main.ts",
    worker: "src/database/worker.ts",
    incident: "src/incidents/main.ts",
    "stampede-side": "src/incidents/stampede/side.ts",
    "double-charge-platform": "src/incidents/double-charge/platform.ts",
    "rerun-job": "src/incidents/rerun/job.ts",
    "overlap-worker": "src/incidents/overlap/worker.ts",
    "redelivery-worker": "src/incidents/redelivery/worker.ts",
  },
  format: "esm",
  platform: "node",
  target: "node20.19",
  dts: false,
  logLevel: "warn",
  sourcemap: true,
  clean: true,
  // the library is used as published: by its name, from its built files
  deps: { neverBundle: [/^reprise(\/|$)/, "amqplib", "fastify", "libsql"] },
  tsconfig: false,
});
