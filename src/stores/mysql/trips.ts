import { Conflict } from "./conflict.ts";
import type { Connection } from "./driver.ts";
import type { Lent } from "./lending.ts";

/** An open transaction. */
export interface Transaction {
  /** For whatever runs in it. */
  readonly connection: Lent;
  /** For the ledger's own statements, before the user's and after them. */
  readonly ours: Connection;
}

/** Told as the server tells that it rolled a transaction back, for it can be gone by nothing else. */
const gone = "signal sqlstate '40001' set mysql_errno = 1213, message_text = 'the row is gone'";

/**
 * A transaction of MariaDB's that begins with its first statement, and commits with its last where that is the ledger's: each
 * is a trip less. If the first one fails, whatever follows is refused with its error: nobody knows that it began.
 */
export function beginLate(lent: Lent): { readonly transaction: Transaction; readonly isCommitted: () => boolean } {
  let beginning: Promise<unknown> | undefined;
  let committed = false;
  const begin = (): Promise<unknown> => {
    beginning ??= lent.run("start transaction", []);
    return beginning;
  };
  const connection: Lent = {
    ...lent,
    query: async (text, params) => {
      await begin();
      return lent.query(text, params);
    },
    run: async (text, params) => {
      await begin();
      return lent.run(text, params);
    },
    users: async (text, params) => {
      await begin();
      return lent.users(text, params);
    },
  };
  const ours: Connection = {
    ...connection,
    query: async (text, params) => {
      if (beginning !== undefined) return connection.query(text, params);
      const answer = lent.query(`begin not atomic start transaction; ${text}; end`, params);
      beginning = answer;
      return answer;
    },
    commitWith: async (text, params) => {
      // after a rollback of the server's it would be committed by itself
      if (lent.conflicted()) throw new Conflict();
      await lent.run(`begin not atomic ${text}; if row_count() = 0 then ${gone}; end if; commit; end`, params);
      committed = true;
    },
  };
  return { transaction: { connection, ours }, isCommitted: () => committed };
}
