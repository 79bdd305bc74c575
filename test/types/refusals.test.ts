import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { complaintsAbout, createProgram, projectOptions, refusalsOf, root } from "./compiler.ts";

/**
 * A user reads the compiler's sentence, so the sentence is what is tested, and where it stands. `@ts-expect-error` would
 * be content with any error, a typo's too.
 */

const files = [
  ...[
    "caches.ts",
    "instances.ts",
    "leases.ts",
    "loads.ts",
    "operations.ts",
    "outboxes.ts",
    "schedules.ts",
    "transports.ts",
    "client.ts",
  ],
].map((name) => join(root, "test/types/refusals", name));

const settings = {
  "the strictest settings": projectOptions(),
  "settings that are not strict": {
    ...projectOptions(),
    strict: false,
    exactOptionalPropertyTypes: false,
    noUncheckedIndexedAccess: false,
    noPropertyAccessFromIndexSignature: false,
    noUnusedLocals: false,
    noUnusedParameters: false,
  },
};

describe.each(Object.entries(settings))("under %s", (_, options) => {
  const program = createProgram(files, options);

  describe.each(files)("%s", (path) => {
    const complaints = complaintsAbout(program, path);
    const refusals = refusalsOf(path);

    test.each(refusals)("line $line is refused: $sentence", ({ line, at, sentence }) => {
      const here = complaints.filter((complaint) => complaint.line === line);
      expect(here.map((complaint) => complaint.message).join("\n")).toContain(sentence);
      // Where it stands within a function varies with the settings.
      if (options.strict === true) expect(here.map((complaint) => complaint.at.slice(0, at.length))).toEqual([at]);
    });

    test("nothing else is refused", () => {
      const expected = new Set(refusals.map((refusal) => refusal.line));
      expect(complaints.filter((complaint) => !expected.has(complaint.line))).toEqual([]);
    });
  });
});
