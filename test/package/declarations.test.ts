import { join } from "node:path";
import ts from "typescript";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Installed, install } from "./installed.ts";

/** The declarations check in a project that has installed the package alone: no peer, and not even Node's types. */

let installed: Installed;
beforeAll(async () => {
  installed = await install();
  installed.write(
    "consumer.mts",
    `import { createReprise, outcomeOf, unchecked } from "reprise";
     import { memoryLedger } from "reprise/memory";
     import { sqliteLedger } from "reprise/sqlite";
     import { type RedisClient, redisLedger } from "reprise/redis";
     import { type PostgresPool, postgresLedger } from "reprise/postgres";
     import { mysqlLedger } from "reprise/mysql";
     import { webHandler } from "reprise/web";
     import { fastifyHandler } from "reprise/fastify";
     import { createIdempotentFetch, memoryKeys } from "reprise/client";
     import { fileKeys } from "reprise/client/file";
     import { expressHandler } from "reprise/express";
     import { honoHandler } from "reprise/hono";
     import { koaHandler } from "reprise/koa";
     import { nestHandler } from "reprise/nest";
     import { pageHandler } from "reprise/page";
     import { manualClock } from "reprise/testing";
     import { drizzleTransactions } from "reprise/transactions";

     const reprise = createReprise({ service: "shop", undecided: "listed", ledger: sqliteLedger({ path: "shop.sqlite" }) });
     export const order = reprise.operation({
       name: "order.place",
       input: unchecked<{ user: string; reference: string }>(),
       principal: (input) => input.user,
       identity: (input) => [input.reference],
       retention: "1d",
       effects: "database",
       run: async ({ input, tx }) => (await tx.query("select ?", [input.reference])).length,
     });
     export const product = reprise.cache.readThrough({
       name: "product", scope: ["id"], freshFor: "60s",
       load: async ({ id }) => ({ id, price: 3 }),
       changedBy: () => [outcomeOf(order, (input) => ({ id: input.reference }))],
     });
     export const price: Promise<{ id: string; price: number }> = product.get({ id: "p1" });
     export const web: (request: Request) => Promise<Response> = webHandler(order, { input: (request) => request.json(), principal: "everyone" });
     export const route = fastifyHandler(order, { input: () => ({ user: "u", reference: "r" }), principal: "everyone" });
     export const routes = [expressHandler, honoHandler, koaHandler, nestHandler];
     export const page = pageHandler(reprise);
     void reprise.start({ clock: manualClock() });
     void memoryLedger();
     declare const client: RedisClient;
     void redisLedger({ client, prefix: "shop", deadline: "2s", server: { persists: true } });
     export const another = (pool: PostgresPool) => postgresLedger({ pool });
     void mysqlLedger({ pool: { getConnection: () => Promise.reject(new Error("none")) } });
     declare const db: { transaction<T>(work: (tx: { execute(query: string): Promise<unknown>; mine: 1 }) => Promise<T>): Promise<T> };
     export const mine: Promise<1> = drizzleTransactions(db).begin(async (tx) => tx.mine);
     const request = createIdempotentFetch({ keys: fileKeys({ folder: "keys" }), deadline: "2m" });
     export const charged: Promise<Response> = request("https://pay.example/charges", { method: "POST", body: "{}", intent: "order-4711" });
     void memoryKeys();
     // @ts-expect-error the declarations are read, and not taken for any
     void product.get({ id: 1 });
    `,
  );
});
afterAll(() => installed.remove());

const resolutions = {
  nodenext: { module: ts.ModuleKind.NodeNext, moduleResolution: ts.ModuleResolutionKind.NodeNext },
  bundler: { module: ts.ModuleKind.Preserve, moduleResolution: ts.ModuleResolutionKind.Bundler },
};

test.each(Object.entries(resolutions))("they check with moduleResolution %s, libraries included", (_, resolution) => {
  const options: ts.CompilerOptions = {
    ...resolution,
    strict: true,
    exactOptionalPropertyTypes: true,
    skipLibCheck: false,
    noEmit: true,
    target: ts.ScriptTarget.ES2023,
    lib: ["lib.es2023.d.ts", "lib.dom.d.ts", "lib.dom.iterable.d.ts"],
    types: [],
  };
  const program = ts.createProgram({ rootNames: [join(installed.folder, "consumer.mts")], options });
  const messages = ts
    .getPreEmitDiagnostics(program)
    .map(({ file, messageText }) => `${file?.fileName}: ${ts.flattenDiagnosticMessageText(messageText, "\n")}`);
  expect(messages).toEqual([]);
  expect(program.getSourceFiles().some(({ fileName }) => fileName.endsWith("reprise/dist/index.d.mts"))).toBe(true);
});
