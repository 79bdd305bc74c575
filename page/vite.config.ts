import { defineConfig } from "vite";

export default defineConfig({
  base: "./",
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: {
    target: "es2022",
    // everything is one script and one style: an inlined file would need a looser policy
    assetsInlineLimit: 0,
    modulePreload: false,
    reportCompressedSize: true,
  },
});
