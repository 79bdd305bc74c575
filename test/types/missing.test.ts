import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { complaintsAbout, createProgram, projectOptions, root } from "./compiler.ts";

/** Whatever a declaration leaves out is what the compiler names first, and it reproaches nothing that is right. */

const declarations = {
  "cache.readThrough": {
    name: '"a"',
    owner: '"team"',
    holds: '"public"',
    ifStale: '"A visitor sees an old title."',
    scope: '["id"]',
    sameForEvery: "everyone",
    freshFor: '"60s"',
    load: "async ({ id }) => id.length",
  },
  "cache.cacheAside": {
    name: '"a"',
    owner: '"team"',
    holds: '"public"',
    ifStale: '"A visitor sees an old title."',
    scope: '["id"]',
    sameForEvery: "everyone",
    freshFor: '"60s"',
    value: "unchecked<number>()",
  },
  "cache.writeThrough": {
    name: '"a"',
    owner: '"team"',
    holds: '"public"',
    ifStale: '"A visitor sees an old title."',
    scope: '["id"]',
    sameForEvery: "everyone",
    freshFor: '"60s"',
    load: "async ({ id }) => id.length",
    write: "async ({ id }, value) => void [id, value]",
  },
  "cache.writeBehind": {
    name: '"a"',
    owner: '"team"',
    holds: '"public"',
    ifStale: '"A visitor sees an old title."',
    scope: '["id"]',
    sameForEvery: "everyone",
    freshFor: '"60s"',
    load: "async ({ id }) => id.length",
    writeMany: "async (writes) => void writes",
    ifLost: '"never"',
  },
  operation: {
    name: '"o"',
    owner: '"team"',
    ifRunsAgain: '"replays"',
    costIfTwice: '"money"',
    principal: "(order) => order.user",
    identity: "(order) => [order.id]",
    retention: '"1d"',
    effects: '"database"',
    input: "input",
    run: "async ({ tx }) => (await tx.query('select 1')).length",
  },
  load: {
    name: '"l"',
    owner: '"team"',
    ifRunsAgain: '"converges"',
    from: '"staging"',
    into: '"fact"',
    identity: '["ref"]',
    newer: '"version"',
    ifSameVersionDiffers: '"refuse"',
    ifSourceRepeatsKey: '"refuse"',
    ifSourceLost: '"keep"',
    windows: '{ by: "day", each: "1mo" }',
  },
  schedule: {
    name: '"s"',
    owner: '"team"',
    every: '"5m"',
    ifStillRunning: '"walk-away"',
    ifMissed: '"skip"',
    costIfTwice: '"money"',
    retention: '"1d"',
    run: "async ({ tick }) => tick.at",
  },
} as const;

const cases = Object.entries(declarations).flatMap(([verb, properties]) =>
  Object.keys(properties).map((missing) => ({ verb, missing, properties })),
);
const path = join(root, "test/types/refusals/generated.ts");
const text = [
  'import { unchecked } from "../../../src/index.ts";',
  'import { everyone, input, reprise } from "./declared.ts";',
  "void [unchecked, input];",
  ...cases.map(({ verb, missing, properties }) => {
    const kept = Object.entries(properties).filter(([name]) => name !== missing);
    return `reprise.${verb}({ ${kept.map(([name, value]) => `${name}: ${value}`).join(", ")} });`;
  }),
].join("\n");

const settings = {
  "the strictest settings": projectOptions(),
  "settings that are not strict": { ...projectOptions(), strict: false, exactOptionalPropertyTypes: false },
};

describe.each(Object.entries(settings))("under %s", (_, options) => {
  const complaints = complaintsAbout(createProgram([path], options, new Map([[path, text]])), path);

  test.each(cases.map((each, index) => ({ ...each, line: index + 4 })))(
    "$verb without $missing: the property is named",
    ({ missing, line }) => {
      const here = complaints.filter((complaint) => complaint.line === line);
      expect(here[0]?.message).toContain(`Property '${missing}' is missing`);
      // What stands on the missing one may be complained of after it, but no rule that was not broken.
      expect(here.slice(1).filter((complaint) => /differ by it|in scope|must replay/.test(complaint.message))).toEqual(
        [],
      );
    },
  );

  test("and the complete ones are accepted", () => {
    const lines = new Set(cases.map((_each, index) => index + 4));
    expect(complaints.filter((complaint) => !lines.has(complaint.line))).toEqual([]);
  });
});
