import pg from "pg";
import { expect, test } from "vitest";
import { createReprise, unchecked } from "../../src/index.ts";
import { postgresLedger } from "../../src/stores/postgres/index.ts";
import { cannotRunHere } from "../support/environment.ts";
import { postgresUrl, postgresVersion } from "../support/postgres.ts";

const isHere = (await postgresVersion()) !== undefined;

test("work in an open transaction holds up nothing of the same name in another schema of the database", async (context) => {
  if (!isHere) context.skip(`${cannotRunHere}no PostgreSQL answers`);
  const schemas = ["a", "b"].map((name) => `schemas_${name}_${process.pid}`);
  const pool = new pg.Pool({ connectionString: postgresUrl, max: 6 });
  let begun = () => {};
  const begins = new Promise<void>((resolve) => {
    begun = resolve;
  });
  let end = () => {};
  const ends = new Promise<void>((resolve) => {
    end = resolve;
  });
  const instances = schemas.map((schema, place) => {
    const ledger = postgresLedger({ pool, schema });
    const reprise = createReprise({ service: "shop", undecided: "listed", ledger, workers: 0 });
    const declaration = {
      input: unchecked<number>(),
      principal: "everyone" as const,
      identity: (input: number) => [input],
      retention: "1d" as const,
    };
    const work = reprise.operation({
      ...{ ...declaration, name: "book", effects: "database" },
      run: async ({ input, tx }) => {
        await tx.query("select 1");
        begun();
        if (place === 0) await ends;
        return input;
      },
    });
    const called = reprise.operation({
      ...{ ...declaration, name: "book outside", effects: "external" },
      run: async ({ input }) => input,
    });
    return { reprise, work, called };
  });
  const [first, second] = instances;
  if (first === undefined || second === undefined) throw new Error("two were made");
  try {
    for (const { reprise } of instances) await reprise.start();
    const held = first.work.execute(7);
    await begins;
    expect(await second.work.execute(7)).toMatchObject({ status: "done", replayed: false });
    expect(await second.called.execute(7)).toMatchObject({ status: "done", replayed: false });
    end();
    expect(await held).toMatchObject({ status: "done", replayed: false });
  } finally {
    end();
    for (const { reprise } of instances) await reprise.close();
    for (const schema of schemas) await pool.query(`drop schema if exists ${schema} cascade`);
    await pool.end();
  }
});
