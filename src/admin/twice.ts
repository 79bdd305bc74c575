import { type Duration, milliseconds } from "../base/duration.ts";
import { RepriseError } from "../base/errors.ts";
import { nameOf } from "../base/names.ts";
import type { KeptSuccess, Ledger, RunSummary } from "../contract/ledger.ts";
import type { Inside } from "../observe/inside.ts";
import type { OperationDeclaration } from "../operation/declaration.ts";
import type { Success } from "./pairing.ts";

/** Two works of one operation that succeeded for one intent: the later one beside the one before it. */
export interface SucceededTwice {
  readonly operation: string;
  readonly first: RunSummary;
  readonly second: RunSummary;
  /** Between their beginnings. */
  readonly apartMs: number;
}

export interface TwiceOptions {
  /** Only of this operation. */
  readonly operation?: string | undefined;
  /** At most so many; 50 unless given. */
  readonly limit?: number | undefined;
}

interface Declared {
  readonly name: string;
  readonly declaration: OperationDeclaration;
}

/** Among the newest works of each operation that declares what its intent is; newest first. */
export async function listTwice(
  inside: Inside,
  ledger: Ledger<unknown>,
  { operation, limit = 50 }: TwiceOptions,
): Promise<readonly SucceededTwice[]> {
  const declared = inside.operations().filter(({ name }) => operation === undefined || name === operation);
  const comparable = declared.filter(({ declaration }) => declaration.sameIntent !== undefined);
  if (operation !== undefined && comparable.length === 0) {
    throw new RepriseError("REPRISE_BAD_DECLARATION", {
      where: `operation '${operation}'`,
      why: declared.length === 0 ? "it is not declared in this process." : "it declares no 'sameIntent'.",
      mend: "Only with it is it known which works are meant to bring about the same.",
    });
  }
  const found: SucceededTwice[] = [];
  // one after the other: whoever looks takes one connection, not all
  for (const { name, declaration } of comparable) {
    const withinMs = declaredWithinMs(declaration);
    if (withinMs === null) continue;
    const pairs = await ledger.twice({ operation: name, withinMs, limit });
    for (const { first, second } of pairs) {
      found.push({ operation: name, first, second, apartMs: second.createdAt - first.createdAt });
    }
  }
  return found.sort((a, b) => b.second.createdAt - a.second.createdAt).slice(0, limit);
}

/** What tells that two successes of an operation were meant for the same; `null`: nothing that is recorded. */
export type ComparedBy = "intent" | "input";

export function comparedBy({ sameIntent, identity }: OperationDeclaration): ComparedBy | null {
  if (sameIntent !== undefined) return "intent";
  // where the input names the work, two works have two inputs
  return identity === "callers-key" ? "input" : null;
}

/** `null`: it declares none. */
export function declaredWithinMs({ name, sameIntent }: OperationDeclaration): number | null {
  return sameIntent === undefined
    ? null
    : milliseconds(sameIntent.within as Duration, `operation '${name}', sameIntent`);
}

export interface AuditedPage {
  /** What can be compared, oldest first. */
  readonly successes: readonly Success[];
  /** How many succeeded and cannot: nothing that is recorded tells what they were meant for. */
  readonly incomparable: number;
  /** `null`: there is no further page. */
  readonly next: string | null;
}

/** A page of all that the ledger keeps of an operation; names and instants, no values. */
export async function auditedPage(
  ledger: Ledger<unknown>,
  { name, declaration }: Declared,
  after: string | null,
  limit: number,
): Promise<AuditedPage> {
  if (ledger.successes === undefined) {
    throw new RepriseError("REPRISE_BAD_DECLARATION", {
      where: `ledger '${ledger.name}'`,
      why: "it cannot be read through.",
      mend: "The newest works are compared by reprise operations twice; all of them on PostgreSQL, MariaDB, MySQL and SQLite.",
    });
  }
  const { successes, next } = await ledger.successes({ operation: name, after, limit });
  const compared = successes.flatMap((success): readonly Success[] => {
    const same = meaningOf(success, declaration);
    return same === null ? [] : [{ key: success.run.id, same, at: success.run.createdAt }];
  });
  return { successes: compared, incomparable: successes.length - compared.length, next };
}

function meaningOf({ intent, run }: KeptSuccess, { identity }: OperationDeclaration): string | null {
  if (intent !== null) return intent;
  if (identity !== "callers-key") return null;
  return nameOf("intent", ["input", run.principal, run.print.version, run.print.hash]);
}
