import type { Transactions } from "../../contract/transactions.ts";
import { type TransactionsOptions, transactionsOver } from "./over.ts";

/** What is used of a generated Prisma client over PostgreSQL, MySQL or MariaDB. */
export interface PrismaDatabase<Tx> {
  $transaction<T>(work: (tx: Tx) => Promise<T>, options?: { isolationLevel?: string }): Promise<T>;
}

export interface PrismaTransaction {
  $queryRawUnsafe<T = unknown>(text: string, ...params: unknown[]): PromiseLike<T>;
  $executeRawUnsafe(text: string, ...params: unknown[]): PromiseLike<number>;
}

/** With Prisma, a statement must be said to return rows: one that is taken for the other has no count, or no rows. */
const returnsRows = /^\s*(?:select|with|values|table|show|explain)\b|\breturning\b/i;

const levels = {
  "read committed": "ReadCommitted",
  "repeatable read": "RepeatableRead",
  serializable: "Serializable",
} as const;

/**
 * The transactions of Prisma, for a ledger; `tx` is Prisma's own client of an interactive transaction. **Untried**: held
 * by the compiler to Prisma's documented interface, and never run. Prisma ends a transaction after 5 s unless its
 * `transactionOptions` say otherwise, and sends strings as text, so that a statement must cast its parameters.
 *
 * @example
 * const transactions = prismaTransactions(new PrismaClient());
 */
export function prismaTransactions<Tx extends PrismaTransaction>(
  prisma: PrismaDatabase<Tx>,
  { isolation }: TransactionsOptions = {},
): Transactions<Tx> {
  return transactionsOver<Tx>("Prisma", {
    transaction: (work) =>
      isolation === undefined
        ? prisma.$transaction(work)
        : prisma.$transaction(work, { isolationLevel: levels[isolation] }),
    query: async (tx, text, params) => {
      if (!returnsRows.test(text)) return { rows: [], count: await tx.$executeRawUnsafe(text, ...params) };
      const rows = await tx.$queryRawUnsafe<Readonly<Record<string, unknown>>[]>(text, ...params);
      return { rows, count: rows.length };
    },
  });
}
