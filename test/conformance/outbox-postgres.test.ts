import { afterAll, beforeAll, expect, test } from "vitest";
import { createReprise, unchecked } from "../../src/index.ts";
import { cannotRunHere } from "../support/environment.ts";
import { type PostgresPlace, postgresPlace, postgresVersion } from "../support/postgres.ts";

const isThere = (await postgresVersion()) !== undefined;
let place: PostgresPlace;
beforeAll(async () => {
  if (isThere) place = await postgresPlace();
});
afterAll(async () => {
  await place?.drop();
});

test("of transactions that publish through two outboxes crosswise one is repeated, and all messages are there", async (context) => {
  if (!isThere) context.skip(`${cannotRunHere}no PostgreSQL answers`);
  const ledger = await place.ledger("pg");
  const reprise = createReprise({ service: "shop", undecided: "listed", ledger });
  const declare = (name: string) => reprise.outbox({ name, message: unchecked<string>(), id: (id) => id });
  const [a, b] = [declare("a"), declare("b")];
  await reprise.start();
  let begun = 0;
  let attempts = 0;
  const both = async () => {
    begun += 1;
    // until both have locked their first one; whoever is repeated waits for nobody
    while (begun < 2) await new Promise((resolve) => setTimeout(resolve, 5));
  };
  const crosswise = (id: string, first: typeof a, second: typeof a) =>
    ledger.transaction(async (tx) => {
      attempts += 1;
      await first.publishIn(tx, id);
      await both();
      await second.publishIn(tx, id);
    });
  await Promise.all([crosswise("one", a, b), crosswise("two", b, a)]);
  expect(attempts).toBe(3);
  for (const outbox of [a, b]) expect((await outbox.standing()).waiting).toBe(2);
  await reprise.close();
});
