import { defineConfig } from "tsdown";

export default defineConfig({
  entry: { main: "src/main.ts", child: "src/child.ts" },
  format: "esm",
  platform: "node",
  target: "node20.19",
  dts: false,
  clean: true,
  logLevel: "error",
  // What is measured is each library as published: by its name, from its built files.
  // But a CommonJS module whose names Node cannot see is taken in.
  deps: { neverBundle: [/^(?!xz-decompress$)[^./]/], alwaysBundle: ["xz-decompress"] },
  tsconfig: false,
});
