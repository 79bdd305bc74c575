import { describe, test } from "vitest";
import { httpSuite } from "../../src/testing/http-suite.ts";
import { fastifyAdapter, webAdapter } from "./http-adapters.ts";

for (const adapter of [webAdapter, fastifyAdapter]) {
  describe(`the HTTP adapter '${adapter.name}'`, () => {
    for (const { name, run } of httpSuite(adapter)) test(name, run);
  });
}
