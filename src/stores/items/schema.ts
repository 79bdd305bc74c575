import type { LedgerSchema } from "../../contract/ledger-schema.ts";
import { compareVersion, refusePartitions } from "../schema.ts";
import type { Host } from "./host.ts";

/** What the item says that the host writes when it opens. */
export const schemaKey = { partition: "schema", row: "" };
export const schemaVersion = "1";

/** The table of a ledger of items. A service is asked for it by a request, which stands here in the place of a statement. */
export function itemSchema({ name, items, open, ask }: Pick<Host, "name" | "items" | "open" | "ask">): LedgerSchema {
  const isThere = () => ask("looking for its table", items.isThere);
  return {
    statements: ({ partitions } = {}) => {
      refusePartitions(name, partitions);
      return [];
    },
    migrate: async ({ partitions } = {}) => {
      refusePartitions(name, partitions);
      const wasThere = await isThere();
      await open();
      return wasThere ? [] : ["CreateTable"];
    },
    differences: async () => {
      if (!(await isThere())) {
        const what = "Its table is missing: it is created when the ledger opens, if its client may.";
        return [{ what, mend: [] }];
      }
      const found = await ask("looking at its table", (signal) => items.get(schemaKey, signal));
      // one that was made by hand says its version as soon as the ledger opens
      return found === null ? [] : compareVersion(found.text, schemaVersion, "");
    },
  };
}
