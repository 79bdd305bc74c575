import { openDatabase } from "../../database/driver.ts";

/** How the mail service's own ledger tells of messages. */
export interface Damage {
  /** Messages that brought about more than one mail. */
  readonly effectsTwice: number;
  /** Messages that brought about none. */
  readonly lost: number;
}

export function damageIn(mails: string, references: readonly string[]): Damage {
  const database = openDatabase(mails);
  try {
    const rows = database.prepare("select reference, count(*) as sent from mails group by 1").all();
    const sent = new Map(rows.map((row) => [String(row["reference"]), Number(row["sent"])]));
    return {
      effectsTwice: references.filter((reference) => (sent.get(reference) ?? 0) > 1).length,
      lost: references.filter((reference) => !sent.has(reference)).length,
    };
  } finally {
    database.close();
  }
}

export function sum(left: Damage, right: Damage): Damage {
  return { effectsTwice: left.effectsTwice + right.effectsTwice, lost: left.lost + right.lost };
}
