import { describe, test } from "vitest";
import { httpSuite } from "../../src/testing/http-suite.ts";
import { httpAdapters } from "./http-adapters.ts";

describe.each(httpAdapters)("the HTTP adapter '$name'", (adapter) => {
  for (const { name, run } of httpSuite(adapter)) test(name, run);
});
