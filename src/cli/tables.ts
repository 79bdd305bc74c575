import { defaults } from "../base/defaults.ts";
import { withModule } from "./apart.ts";
import type { AskedOfTables, LedgerReport } from "./importing.ts";

/** Milliseconds: for the import, and for what is asked then. */
interface Deadlines {
  readonly importMs: number | undefined;
  readonly answerMs: number;
}

/** What is told of the ledgers of the instances that a module exports, each once, or why nothing is. */
export async function askTables(
  module: string,
  asked: AskedOfTables,
  { importMs = defaults.cli.importMs, answerMs }: Deadlines,
): Promise<readonly LedgerReport[] | string> {
  const name = `'${module}'`;
  return withModule(module, importMs, async ({ ask }): Promise<readonly LedgerReport[] | string> => {
    const answer = await ask(asked, answerMs);
    switch (answer.is) {
      case "reported":
        return answer.ledgers.length > 0
          ? answer.ledgers
          : `${name} exports no instance of createReprise with a ledger. Export one: export const reprise = createReprise({ ledger, … }).`;
      case "refused":
        return answer.why;
      case "late":
        return `${name}: its ledger has not answered in ${answerMs / 1_000} s. See whether its store is there, and whether somebody holds a lock on its tables.`;
      case "ended":
        return `${name} ended its process (${answer.how}) before its ledger answered.`;
      default:
        return `${name}: its process answered something else.`;
    }
  });
}
