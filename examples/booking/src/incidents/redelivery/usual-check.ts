import { setTimeout } from "node:timers/promises";
import type { Delivery, Source } from "reprise";
import { openDatabase } from "../../database/driver.ts";
import type { SeatReleased } from "../../inputs.ts";
import type { Mails } from "../../mail/client.ts";

/** The two checks that most consumers have: `look-first`: GET, work, SET; `mark-first`: SET NX, work. */
export type Check = "look-first" | "mark-first";

const atOnce = 8;
const againMs = 100;

/** Consumes until its process ends. */
export async function consumeWithCheck(check: Check, path: string, source: Source, mails: Mails): Promise<never> {
  const database = openDatabase(path);
  database.exec("create table if not exists seen (id text primary key)");
  const look = database.prepare("select 1 from seen where id = ?");
  const mark = database.prepare("insert into seen values (?) on conflict do nothing returning id");

  const handle = async (delivery: Delivery) => {
    const { user, reference } = delivery.read() as SeatReleased;
    const id = `${user}/${reference}`;
    const isNew = check === "look-first" ? look.all(id).length === 0 : mark.all(id).length === 1;
    if (isNew) {
      await mails.send({ to: user, about: "seat-released", reference }, null);
      if (check === "look-first") mark.all(id);
    }
    await delivery.settle({ is: "acknowledge" });
  };

  const never = new AbortController().signal;
  for (;;) {
    const receiver = await source.open(atOnce);
    try {
      for (;;) {
        for (const delivery of await receiver.pull(atOnce, never)) {
          // what fails is not acknowledged, and comes again
          void handle(delivery).catch(() => undefined);
        }
      }
    } catch {
      // a connection or a lease that is lost, as on a machine that is busy, is taken anew: that ends no consumer
      await receiver.close().catch(() => undefined);
      await setTimeout(againMs);
    }
  }
}
