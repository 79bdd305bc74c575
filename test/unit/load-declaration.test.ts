import { describe, expect, test } from "vitest";
import { createReprise } from "../../src/index.ts";
import type { LoadDeclaration } from "../../src/load/declaration.ts";
import { loadSettingsOf } from "../../src/load/settings.ts";
import { tableName } from "../../src/load/table-name.ts";
import { memoryLedger } from "../../src/stores/memory/index.ts";

const sound: LoadDeclaration = {
  name: "sales.fact",
  ifRunsAgain: "converges",
  from: "staging.transactions",
  into: "reporting.fact_sales",
  identity: ["txn_ref", "txn_date"],
  newer: "source_version",
  ifSameVersionDiffers: "refuse",
  ifSourceRepeatsKey: "refuse",
  ifSourceLost: "keep",
  windows: { by: "txn_date", each: "1mo" },
};

test("a declaration becomes settings, with its names parsed and its defaults filled in", () => {
  expect(loadSettingsOf({ ...sound, ifSourceLost: { mark: "deleted_at", atMost: "1.5%" } })).toMatchObject({
    source: { schema: "staging", name: "transactions" },
    into: { schema: "reporting", name: "fact_sales" },
    version: "source_version",
    mark: { column: "deleted_at", atMost: { parts: 15n, of: 1000n } },
    windows: { is: "by", column: "txn_date", step: { unit: "months", count: 1 } },
    leaseMs: 30_000,
  });
  expect(loadSettingsOf({ ...sound, windows: { by: "id", each: 1_000 } }).windows).toMatchObject({
    step: { unit: "numbers", count: 1_000n },
  });
  expect(loadSettingsOf({ ...sound, windows: { by: "at", each: "7d" } }).windows).toMatchObject({
    step: { unit: "hours", count: 168 },
  });
  expect(loadSettingsOf({ ...sound, from: { query: "select 1 ;\n; " } }).source).toEqual({ query: "select 1" });
});

describe("a declaration is refused", () => {
  const none = { none: "files come in order" };
  const refused: Readonly<Record<string, Record<string, unknown>>> = {
    "without a name": { name: "" },
    "whose name holds half of a character": { name: "sales\ud800" },
    "that replays": { ifRunsAgain: "replays" },
    "whose table has three names": { into: "a.b.c" },
    "whose query is empty": { from: { query: " ; " } },
    "without a source": { from: undefined },
    "without an identity": { identity: [] },
    "whose identity names a column twice": { identity: ["a", "a"] },
    "that does not say which row is newer": { newer: undefined },
    "whose reason is empty": { newer: { none: "" } },
    "whose version is part of its identity": { newer: "txn_ref" },
    "that does not say what an equal version means": { ifSameVersionDiffers: undefined },
    "that does not say what a repeated key means": { ifSourceRepeatsKey: undefined },
    "that refuses what nothing tells apart": { newer: none },
    "that takes the newest without a version": {
      newer: none,
      ifSameVersionDiffers: "overwrite",
      ifSourceRepeatsKey: "newest",
    },
    "that does not say what a lost row means": { ifSourceLost: undefined },
    "that marks more than all": { ifSourceLost: { mark: "deleted_at", atMost: "101%" } },
    "whose mark is a part of the key": { ifSourceLost: { mark: "txn_date", atMost: "1%" } },
    "without windows": { windows: undefined },
    "whose windows have no rows": { windows: { rows: 0 } },
    "whose windows have no length": { windows: { by: "txn_date", each: "0d" } },
    "whose windows are of no unit": { windows: { by: "txn_date", each: "1w" } },
    "whose columns are one text": { columns: "amount" },
  };
  for (const [name, answers] of Object.entries(refused)) {
    test(name, () => {
      expect(() => loadSettingsOf({ ...sound, ...answers } as LoadDeclaration)).toThrow(
        expect.objectContaining({ code: "REPRISE_BAD_DECLARATION" }),
      );
    });
  }
});

test("a table's name is in its very letters, quoted where it holds a dot", () => {
  expect(tableName("fact")).toEqual({ schema: null, name: "fact" });
  expect(tableName("Reporting.Fact Sales")).toEqual({ schema: "Reporting", name: "Fact Sales" });
  expect(tableName('"a.b"."c""d"')).toEqual({ schema: "a.b", name: 'c"d' });
  expect(tableName("`a.b`.`c``d`")).toEqual({ schema: "a.b", name: "c`d" });
  for (const text of ["", ".", "a.", ".b", 'a"b', '"a', "a.b.c", '"a"b']) expect(tableName(text)).toBeNull();
});

test("an instance knows a load once, tells what is decided of it, and refuses a ledger that has no database", async () => {
  const reprise = createReprise({ service: "shop", owner: "reporting", ledger: memoryLedger() });
  const { owner: _, ...declaration } = { ...sound, owner: undefined };
  reprise.load(declaration as never);
  expect(() => reprise.load(declaration as never)).toThrow(expect.objectContaining({ code: "REPRISE_NAME_TWICE" }));
  expect(reprise.decisions()).toMatchObject([
    {
      ...{ kind: "load", name: "sales.fact", owner: "reporting", undecided: [] },
      answers: {
        newer: { is: "declared", value: "source_version" },
        windows: { is: "declared", value: "by txn_date, 1mo each" },
        lease: { is: "default", value: "30s" },
        costIfTwice: { is: "default" },
      },
    },
  ]);
  await expect(reprise.start()).rejects.toMatchObject({ code: "REPRISE_BAD_DECLARATION" });
  await reprise.close();
});

test("without a ledger nothing is declared", () => {
  const reprise = createReprise({ service: "shop", owner: "reporting" });
  expect(() => (reprise.load as (declaration: unknown) => unknown)(sound)).toThrow(
    expect.objectContaining({ code: "REPRISE_NO_LEDGER" }),
  );
});

test("names that are too long for what is kept of a run are refused", () => {
  const reprise = createReprise({ service: "s".repeat(150), owner: "reporting", ledger: memoryLedger() });
  expect(() => reprise.load({ ...sound, name: "n".repeat(60) } as never)).toThrow(/too long/);
});
