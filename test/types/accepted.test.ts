import { join } from "node:path";
import { expect, test } from "vitest";
import { complaintsAbout, createProgram, projectOptions, root } from "./compiler.ts";

const paths = ["accepted.ts", "accepted-caches.ts", "accepted-jobs.ts"].map((name) => join(root, "test/types", name));

test("a platform's own code compiles, and its types are inferred as written there", () => {
  const program = createProgram(paths, projectOptions());
  expect(paths.flatMap((path) => complaintsAbout(program, path))).toEqual([]);
});
