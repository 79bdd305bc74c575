import type { SqlDatabase } from "../../contract/sql.ts";
import { runAlone, type Transactor } from "./transaction.ts";

export function postgresSql<Tx>(transactor: Transactor<Tx>): SqlDatabase<Tx> {
  return {
    dialect: "postgres",
    begin: (work, statementMs) => runAlone(transactor, "sql", work, { statementMs }),
    query: transactor.query,
  };
}
