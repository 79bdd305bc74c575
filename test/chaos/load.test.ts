import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { cannotRunHere, sqliteDriver } from "../support/environment.ts";
import { mysqlVersion } from "../support/mysql.ts";
import { postgresVersion } from "../support/postgres.ts";

/** The long run is `npm run -s crash:load`; this is the same one, small. */
const run = fileURLToPath(new URL("load/run.mjs", import.meta.url));

const databases = [
  { database: "postgres", version: postgresVersion },
  { database: "mariadb", version: mysqlVersion },
  { database: "sqlite", version: async () => sqliteDriver() },
];
for (const { database, version } of databases) {
  test(`killed at every point and called again, a load on ${database} leaves the table of one that was not`, async (context) => {
    if ((await version()) === undefined) context.skip(`${cannotRunHere}no ${database} answers`);
    const options = ["--json", "--database", database, "--rows", "2000", "--kills", "6"];
    const { stdout } = await promisify(execFile)(process.execPath, [run, ...options]);
    expect(JSON.parse(stdout)).toMatchObject({ holds: true, differing: 0, miscounted: 0 });
  }, 180_000);
}
