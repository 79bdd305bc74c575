import { join } from "node:path";
import { expect, test } from "vitest";
import { complaintsAbout, createProgram, projectOptions, root } from "./compiler.ts";

const path = join(root, "test/types/accepted.ts");

test("a platform's own code compiles, and its types are inferred as written there", () => {
  expect(complaintsAbout(createProgram([path], projectOptions()), path)).toEqual([]);
});
