import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { complaintsAbout, createProgram, projectOptions, root } from "./compiler.ts";

/** What the README's snippets leave to their reader: an application around them. */
const surroundings = `
import type { FastifyInstance, FastifyRequest } from "fastify";
import { administer } from "../../src/admin/index.ts";
import type { BlobStore } from "../../src/contract/blob-store.ts";
import { createReprise, outcomeOf, unchecked, type Schema } from "../../src/index.ts";
import { pageHandler } from "../../src/page/index.ts";
import { type SqliteTransaction, sqliteLedger } from "../../src/stores/sqlite/index.ts";
import { fastifyHandler, fastifyStatus, idempotent, watchRoutes, webRoute } from "../../src/transports/http/fastify.ts";
import { createIdempotentFetch } from "../../src/client/index.ts";
import { fileKeys } from "../../src/client/file-keys.ts";

interface Seat { readonly user: string; readonly reference: string; readonly workshop: string; readonly card: string }
interface Booking { readonly reference: string }
declare const db: {
  readonly product: (id: string) => Promise<{ readonly id: string }>;
  readonly views: (page: string) => Promise<number>;
  readonly upsertViews: (writes: readonly { readonly scope: { readonly page: string }; readonly value: number }[]) => Promise<void>;
  readonly stock: (tenant: string, sku: string) => Promise<number>;
};
declare const seatsLeft: (workshop: string, signal?: AbortSignal) => Promise<number>;
declare const gateway: { readonly charge: (input: Seat, options: { readonly idempotencyKey: string; readonly signal: AbortSignal }) => Promise<{ readonly id: string }> };
declare const insertBooking: (tx: SqliteTransaction, input: Seat, charge: string) => Promise<Booking>;
declare const bookSeatSchema: Schema<Seat>;
declare const cancelSeatSchema: Schema<Seat>;
declare const input: Seat;
declare const body: string;
declare const insertOrder: (tx: SqliteTransaction, order: unknown) => Promise<{ readonly id: string }>;
declare const app: FastifyInstance;
declare const bookingsOf: (month: string, signal: AbortSignal) => Promise<readonly Booking[]>;
declare const upload: (key: string, rows: readonly Booking[]) => Promise<string>;
declare const customersBefore: (tx: SqliteTransaction, at: Date) => Promise<readonly { readonly customer: string; readonly day: string }[]>;
declare const prices: { readonly ask: (customer: string, key: string, signal: AbortSignal) => Promise<number> };
declare const blobs: BlobStore;
declare const sendInvoices: (signal: AbortSignal, token: number) => Promise<void>;
type ExportRequest = FastifyRequest<{ Body: Omit<Seat, "user">; Params: { readonly id: string } }>;
type BookRequest = FastifyRequest<{ Body: Omit<Seat, "user"> }>;
declare module "fastify" {
  interface FastifyRequest { readonly session: { readonly user: string } }
}
void [administer, bookingsOf, customersBefore, prices, blobs, sendInvoices, upload, fastifyStatus, idempotent, createIdempotentFetch, fileKeys, body, insertOrder, outcomeOf, unchecked, sqliteLedger, pageHandler, fastifyHandler, watchRoutes, webRoute, db, seatsLeft, gateway, insertBooking, bookSeatSchema, cancelSeatSchema, input, app];
`;

const instance = `
const ledger = sqliteLedger({ path: "booking.db" });
const reprise = createReprise({ service: "booking", dimensions: { tenant: "shared", user: "personal", locale: "shared" }, ledger });
`;
const open = `
const ledger = sqliteLedger({ path: "shop.db" });
const reprise = createReprise({ service: "shop", undecided: "listed", ledger });
`;

/** What snippets import, as it is here and not as it was built last. */
const paths = {
  "reprise/rabbitmq": [join(root, "src/sources/rabbitmq/index.ts")],
  "reprise/azure-functions": [join(root, "src/transports/functions/azure.ts")],
  "reprise/lambda": [join(root, "src/transports/functions/aws.ts")],
};

const snippets = [...readFileSync(join(root, "README.md"), "utf8").matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map(
  ([, code = ""]) => code,
);
const bookSeat = snippets.find((code) => code.includes("const bookSeat")) ?? "";
const exportBookings = snippets.find((code) => code.includes("const exportBookings")) ?? "";
const enrichCustomer = snippets.find((code) => code.includes("const enrichCustomer =")) ?? "";

/** What stands before a snippet: the instance that it uses, and the operation that others name. */
function before(code: string): string {
  if (code.includes("createReprise(")) return "";
  const own = code.includes("owner:") || code.includes("bookSeat") ? instance : open;
  const declared = [
    code.includes("bookSeat") && code !== bookSeat ? bookSeat : "",
    code.includes("exportBookings") && code !== exportBookings ? exportBookings : "",
    code.includes("each: enrichCustomer") ? enrichCustomer : "",
  ];
  return own + declared.join("");
}

describe("every snippet of the README compiles as it stands", () => {
  test.each(snippets.map((code) => [code.split("\n", 1)[0] ?? "", code]))("%s", (_, code) => {
    const path = join(root, "test/types/readme-snippet.ts");
    const text = `${surroundings}\n${before(code)}\n${code}\nexport {};\n`;
    const program = createProgram(
      [path],
      { ...projectOptions(), noUnusedLocals: false, paths },
      new Map([[path, text]]),
    );
    expect(complaintsAbout(program, path)).toEqual([]);
  });

  test("there are snippets of every noun, of their transports and of the page", () => {
    for (const word of [
      "readThrough",
      "writeBehind",
      "operation",
      "reprise.load(",
      "reprise.schedule(",
      "reprise.consume(",
      "reprise.outbox(",
      "azureFunction(",
      ".lease(",
      "executeIn",
      "fastifyHandler",
      "administer",
      "pageHandler",
    ]) {
      expect(snippets.some((code) => code.includes(word))).toBe(true);
    }
  });
});
