import { join } from "node:path";
import { expect, test } from "vitest";
import { complaintsAbout, createProgram, projectOptions, root } from "./compiler.ts";

const path = join(root, "test/types/transactions.ts");

test("the mappers' own types are accepted, and a transaction is what each mapper calls one", () => {
  expect(complaintsAbout(createProgram([path], projectOptions()), path)).toEqual([]);
});
