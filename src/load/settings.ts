import { defaults } from "../base/defaults.ts";
import { milliseconds } from "../base/duration.ts";
import { RepriseError } from "../base/errors.ts";
import type { LoadDeclaration } from "./declaration.ts";
import type { SourceName, TableName } from "./dialect.ts";
import { type Share, shareOf } from "./share.ts";
import { tableName } from "./table-name.ts";

/** A declaration that is checked, its names parsed and its defaults filled in. */
export interface LoadSettings {
  readonly declaration: LoadDeclaration;
  readonly name: string;
  readonly source: SourceName;
  readonly into: TableName;
  /** `null`: nothing tells which of two rows is newer. */
  readonly version: string | null;
  readonly mark: { readonly column: string; readonly atMost: Share } | null;
  readonly windows: WindowSettings;
  readonly leaseMs: number;
}
export type WindowSettings =
  | { readonly is: "by"; readonly column: string; readonly step: Step }
  | { readonly is: "rows"; readonly rows: number }
  | { readonly is: "whole" };
export type Step =
  | { readonly unit: "months" | "hours"; readonly count: number }
  | { readonly unit: "numbers"; readonly count: bigint };

/**
 * Checks what types cannot see, before anything happens.
 * @throws REPRISE_BAD_DECLARATION, REPRISE_BAD_DURATION
 */
export function loadSettingsOf(declaration: LoadDeclaration): LoadSettings {
  const { name, identity, newer, columns } = declaration;
  const where = `load '${name}'`;
  const refuse = (why: string, mend: string): never => {
    throw new RepriseError("REPRISE_BAD_DECLARATION", { where, why, mend });
  };
  if (!isText(name)) {
    refuse("its name is empty, or holds what no store keeps.", "A name is part of every run: give it one in letters.");
  }
  if (declaration.ifRunsAgain !== undefined && declaration.ifRunsAgain !== "converges") {
    refuse("'ifRunsAgain' is not 'converges'.", "A load that runs again writes the differences: say 'converges'.");
  }
  const into = tableOf(declaration.into) ?? refuse("'into' names no table.", "Write 'table' or 'schema.table'.");
  const source = sourceOf(declaration.from);
  if (source === null) {
    return refuse("'from' names no table and has no query.", "Write 'schema.table', or { query: 'select …' }.");
  }
  if (!isNames(identity) || identity.length === 0) {
    refuse("'identity' is no list of different columns.", "Name the columns of the natural key.");
  }
  if (columns !== undefined && !isNames(columns)) {
    refuse("'columns' is no list of different columns.", "Name what is written, or leave it out: then all is.");
  }
  const version = versionOf(newer);
  if (version === undefined) {
    return refuse("'newer' neither names a column nor gives a reason.", "Say which row of a key is the newer one.");
  }
  if (version !== null && identity.includes(version)) {
    refuse("'newer' is part of the identity.", "Rows of one key would all be of one version: name another column.");
  }
  const { ifSameVersionDiffers, ifSourceRepeatsKey } = declaration;
  if (ifSameVersionDiffers !== "refuse" && ifSameVersionDiffers !== "overwrite") {
    refuse("'ifSameVersionDiffers' is undecided.", "Say 'refuse' or 'overwrite'.");
  }
  if (ifSourceRepeatsKey !== "refuse" && ifSourceRepeatsKey !== "newest") {
    refuse("'ifSourceRepeatsKey' is undecided.", "Say 'refuse' or 'newest'.");
  }
  if (version === null && (ifSameVersionDiffers !== "overwrite" || ifSourceRepeatsKey !== "refuse")) {
    refuse(
      "without a version no row is the newer one.",
      "Say ifSameVersionDiffers: 'overwrite' and ifSourceRepeatsKey: 'refuse', or name the version in 'newer'.",
    );
  }
  const mark = markOf(declaration.ifSourceLost);
  if (mark === undefined) {
    return refuse("'ifSourceLost' is undecided.", "Say 'keep', or { mark: 'deleted_at', atMost: '1%' }.");
  }
  if (mark !== null && [...identity, version, ...(columns ?? [])].includes(mark.column)) {
    refuse("the mark of lost rows is written from the source too.", "Mark them in a column of its own.");
  }
  const windows = windowsOf(declaration.windows);
  if (windows === undefined) {
    return refuse(
      "'windows' says no size.",
      "Say { by: 'column', each: '1mo' } (or '7d', '6h', a whole number), { rows: 50_000 } or 'whole'.",
    );
  }
  return {
    declaration,
    name,
    source,
    into,
    version,
    mark,
    windows,
    leaseMs:
      declaration.lease === undefined ? defaults.load.leaseMs : milliseconds(declaration.lease, `${where}, lease`),
  };
}

function isText(value: unknown): value is string {
  // a database refuses NUL and half of a character, or cuts and replaces them
  return typeof value === "string" && value !== "" && !/[\0\p{Surrogate}]/u.test(value);
}
function isNames(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every(isText) && new Set(value).size === value.length;
}

function tableOf(text: unknown): TableName | null {
  return isText(text) ? tableName(text) : null;
}
function sourceOf(from: LoadDeclaration["from"]): SourceName | null {
  if (typeof from === "string") return tableOf(from);
  // it becomes part of a statement, which a semicolon would end
  const query = isText(from?.query) ? from.query.replace(/[\s;]+$/, "") : "";
  return query === "" ? null : { query };
}
function versionOf(newer: LoadDeclaration["newer"]): string | null | undefined {
  if (isText(newer)) return newer;
  return typeof newer === "object" && isText(newer?.none) ? null : undefined;
}
function markOf(lost: LoadDeclaration["ifSourceLost"]): LoadSettings["mark"] | undefined {
  if (lost === "keep") return null;
  const atMost = shareOf(String(lost?.atMost));
  return isText(lost?.mark) && atMost !== null ? { column: lost.mark, atMost } : undefined;
}
function windowsOf(windows: LoadDeclaration["windows"]): WindowSettings | undefined {
  if (windows === "whole") return { is: "whole" };
  if (typeof windows !== "object" || windows === null) return undefined;
  if ("rows" in windows) {
    return Number.isSafeInteger(windows.rows) && windows.rows > 0 ? { is: "rows", rows: windows.rows } : undefined;
  }
  const step = stepOf(windows.each);
  return isText(windows.by) && step !== undefined ? { is: "by", column: windows.by, step } : undefined;
}

function stepOf(each: unknown): Step | undefined {
  if (typeof each === "number") {
    return Number.isSafeInteger(each) && each > 0 ? { unit: "numbers", count: BigInt(each) } : undefined;
  }
  const [, digits, unit] = /^([1-9]\d{0,5})(mo|d|h)$/.exec(String(each)) ?? [];
  if (digits === undefined) return undefined;
  const count = Number(digits);
  if (unit === "mo") return { unit: "months", count };
  return { unit: "hours", count: unit === "d" ? count * 24 : count };
}
