import type { Ledger } from "../../src/contract/ledger.ts";
import type { Load, LoadDone, LoadRefusal, LoadResult } from "../../src/index.ts";
import { createReprise } from "../../src/index.ts";
import type { LoadDeclaration } from "../../src/load/declaration.ts";

/** What a database gives the loads' suite: two tables, rows, and a ledger beside them. */
export interface LoadStage {
  readonly name: string;
  /** Whether a transaction of one connection lets others write meanwhile. */
  readonly writesAtOnce: boolean;
  /** A ledger of an instance of its own, opened, on the same database. */
  readonly ledger: () => Promise<Ledger<unknown>>;
  /** `schema.staging` and `schema.fact`, made anew and empty. `fact` is unique over (ref, day), unless `wrong` says else. */
  readonly reset: () => Promise<void>;
  /** As they are called in a declaration. */
  readonly staging: string;
  readonly fact: string;
  readonly execute: (statement: string) => Promise<unknown>;
  /** Adds rows to `staging`. */
  readonly stage: (rows: readonly Row[]) => Promise<void>;
  readonly clearStaging: () => Promise<void>;
  /** The table's rows in the order of their key, without what the database makes. */
  readonly facts: () => Promise<readonly Fact[]>;
  /** Changes with every row that is written, inserted or locked, and with every identity value that is taken. */
  readonly trace: () => Promise<string>;
  /** Ends every lease as if its time were over. */
  readonly endLeases: () => Promise<void>;
  readonly wrong: readonly WrongSituation[];
  readonly drop: () => Promise<void>;
}

export interface Row {
  readonly ref: string | null;
  readonly day: string | null;
  readonly version: number | null;
  /** Two digits behind the point, as the column has them. */
  readonly amount: string;
  readonly note: string | null;
  /** Of the staging table alone. */
  readonly delivery?: number;
}
export interface Fact extends Row {
  readonly lost: boolean;
}

/** A situation in which nothing may be written. */
export interface WrongSituation {
  readonly name: string;
  /** From sound tables, and some rows in staging. */
  readonly prepare: readonly string[];
  readonly declaration?: Partial<LoadDeclaration>;
  readonly what: LoadRefusal["what"];
  /** Whether what `mend` says makes the same run pass. */
  readonly isMended: boolean;
  /** What only the source's owner can put right, where `mend` is empty. */
  readonly afterwards?: readonly string[];
}

export function row(ref: string, day: string, version: number, amount = "1.00", note: string | null = null): Row {
  return { ref, day, version, amount, note };
}

/** So many rows of different keys over six months. */
export function manyRows(count: number, version = 1): readonly Row[] {
  return Array.from({ length: count }, (_, index) => {
    const month = String((index % 6) + 1).padStart(2, "0");
    const day = String((index % 28) + 1).padStart(2, "0");
    return row(
      `ref-${String(index).padStart(5, "0")}`,
      `2026-${month}-${day}`,
      version,
      `${index}.50`,
      `note ${index}`,
    );
  });
}

export type Answers = Partial<LoadDeclaration>;

export function declarationOf(stage: LoadStage, answers: Answers = {}): LoadDeclaration {
  return {
    name: "sales.fact",
    ifRunsAgain: "converges",
    from: stage.staging,
    into: stage.fact,
    identity: ["ref", "day"],
    newer: "version",
    ifSameVersionDiffers: "refuse",
    ifSourceRepeatsKey: "refuse",
    ifSourceLost: "keep",
    windows: { by: "day", each: "1mo" },
    ...answers,
  };
}

/** A load of an instance that lives as long as its ledger. */
export async function loadOn(stage: LoadStage, answers?: Answers, ledger?: Ledger<unknown>): Promise<Load> {
  const reprise = createReprise({ service: "test", undecided: "listed", ledger: ledger ?? (await stage.ledger()) });
  // declarations of the suite are data
  return reprise.load(declarationOf(stage, answers) as never);
}

/** @throws where the run did not come to its end */
export function done(result: LoadResult): LoadDone {
  if (result.status !== "done") throw new Error(`the run is ${JSON.stringify(result)}`);
  return result;
}

/** The counts that are not 0. */
export function countsOf(result: LoadResult): Readonly<Record<string, number>> {
  const { status: _, run: __, windows: ___, ...counts } = done(result);
  return Object.fromEntries(Object.entries(counts).filter(([, count]) => count !== 0));
}
