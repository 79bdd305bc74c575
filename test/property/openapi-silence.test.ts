import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, expect, test } from "vitest";
import { stringify } from "yaml";
import { documentsBeside, readDocument } from "../../src/cli/document.ts";
import { findSilence, type SilenceReport } from "../../src/decisions/openapi-silence.ts";

const nothingBeside = async () => null;

const folder = mkdtempSync(join(tmpdir(), "reprise-silence-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** As the command does it: through a file. */
async function check(text: string): Promise<SilenceReport | string> {
  const path = join(folder, "document.yaml");
  writeFileSync(path, text);
  const source = await readDocument(path);
  return typeof source === "string" ? source : findSilence(source, documentsBeside());
}

const parameter = { name: "Idempotency-Key", in: "header", schema: { type: "string" } };
const others = fc.subarray([
  { name: "Idempotency-Key", in: "query" },
  { name: "If-Match", in: "header" },
  { $ref: "#/components/parameters/Page" },
  null,
  7,
]);

/** How a method promises something, and what of it stands at the method and at its path. */
const promises = fc.constantFrom(
  { method: { parameters: [parameter] } },
  { method: { parameters: [{ ...parameter, name: "idempotency-key", required: true }] } },
  { method: { parameters: [{ $ref: "#/components/parameters/Key" }] } },
  { method: { parameters: [{ $ref: "#/components/parameters/Chained" }] } },
  { path: { parameters: [parameter] } },
  { path: { parameters: [{ $ref: "#/components/parameters/%4Bey" }] } },
  { method: { "x-reprise": { promise: "Safe to repeat." } } },
  { path: { "x-reprise": { promise: "Safe to repeat." } } },
);
/** What is none. */
const silences = fc.constantFrom(
  {},
  { method: { "x-reprise": { promise: " " } } },
  { method: { "x-reprise": true } },
  { method: { "x-reprise": "yes" } },
  { method: { "x-idempotent": true } },
  { method: { description: "Idempotency-Key" } },
  { method: { parameters: { parameter } } },
  { method: { parameters: [{ ...parameter, in: "cookie" }] } },
  { method: { parameters: [{ $ref: "#/components/parameters/Nowhere" }] } },
  { method: { parameters: [{ $ref: "#/components/parameters/constructor" }] } },
  { method: { parameters: [{ $ref: "#/components/parameters/Circle" }] } },
  { method: { parameters: [{ $ref: "https://example.com/openapi.yaml#/Key" }] } },
  { path: { parameters: [] } },
);
interface Said {
  readonly method?: object;
  readonly path?: object;
}

/** A path has one way of saying it, so that what its path says is not taken for another method's. */
const pathItem = fc.record({
  methods: fc.subarray(["get", "head", "options", "post", "put", "patch", "delete"] as const, { minLength: 1 }),
  promised: fc.boolean(),
  promise: promises as fc.Arbitrary<Said>,
  silence: silences as fc.Arbitrary<Said>,
  others,
  referred: fc.constantFrom("here", "behind a reference", "beside a reference"),
});
const unsafe: ReadonlySet<string> = new Set(["post", "put", "patch", "delete"]);

test("each method is told as it was written, in YAML and in JSON, here and behind references", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.dictionary(fc.stringMatching(/^\/[a-z~%{}./ -]{0,12}$/), pathItem, { maxKeys: 6, noNullPrototype: true }),
      fc.boolean(),
      fc.constantFrom("3.0.0", "3.0.4", "3.1.0", "3.1.1"),
      async (items, asYaml, openapi) => {
        const paths: Record<string, unknown> = {};
        const pathItems: Record<string, unknown> = {};
        const silent: string[] = [];
        let count = 0;
        for (const [at, [path, item]] of Object.entries(items).entries()) {
          const said = item.promised ? item.promise : item.silence;
          const own = (said.method ?? {}) as { readonly parameters?: unknown };
          const parameters = Array.isArray(own.parameters) ? [...item.others, ...own.parameters] : own.parameters;
          const operation = { ...own, ...(parameters === undefined ? {} : { parameters }), responses: {} };
          const methods = Object.fromEntries(item.methods.map((method) => [method, operation]));
          const changing = item.methods.filter((method) => unsafe.has(method));
          count += changing.length;
          if (!item.promised) silent.push(...changing.map((method) => `${method.toUpperCase()} ${path}`));
          const $ref = `#/components/pathItems/${at}`;
          switch (item.referred) {
            case "here":
              paths[path] = { ...said.path, ...methods };
              break;
            case "behind a reference":
              paths[path] = { $ref };
              pathItems[at] = { ...said.path, ...methods };
              break;
            case "beside a reference":
              paths[path] = { $ref, ...methods };
              pathItems[at] = { ...said.path };
          }
        }
        const document = {
          openapi,
          info: { title: "t", version: "1" },
          paths,
          components: {
            pathItems,
            parameters: {
              Key: parameter,
              Chained: { $ref: "#/components/parameters/Key" },
              Circle: { $ref: "#/components/parameters/Circle" },
              Page: { name: "page", in: "query" },
            },
          },
        };
        const report = await check(asYaml ? stringify(document) : JSON.stringify(document));
        if (typeof report === "string") throw new Error(report);
        expect(report.silent.map(({ method, path }) => `${method} ${path}`).sort()).toEqual(silent.sort());
        expect({ openapi: report.openapi, unsafe: report.unsafe }).toEqual({ openapi, unsafe: count });
      },
    ),
    { numRuns: 300 },
  );
});

/** Values made of the words that the check looks for. */
const { value: anything } = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 6 },
    fc.constantFrom(
      null,
      true,
      3.1,
      "3.1.0",
      "header",
      "Idempotency-Key",
      "#/paths/~1a",
      "#",
      "#/",
      "#/%",
      "a.yaml#/b",
    ),
    fc.string(),
    fc.array(tie("value"), { maxLength: 3 }),
    fc.dictionary(
      fc.constantFrom("/a", "post", "delete", "parameters", "$ref", "name", "in", "x-reprise", "promise", "__proto__"),
      tie("value"),
      { maxKeys: 4, noNullPrototype: true },
    ),
  ),
}));

test("whatever a document holds, it is told or refused with a sentence", async () => {
  await fc.assert(
    fc.asyncProperty(anything, fc.boolean(), async (paths, whole) => {
      const root = whole ? paths : { openapi: "3.1.0", paths };
      const report = await findSilence({ name: "d", root }, nothingBeside);
      if (typeof report === "string") expect(report).toMatch(/\.$/);
      else expect(report.silent.length).toBeLessThanOrEqual(report.unsafe);
    }),
    { numRuns: 2_000 },
  );
});

test("whatever text a document is, it is told or refused with a sentence", async () => {
  const sound = stringify({ openapi: "3.1.0", paths: { "/a": { post: { parameters: [parameter] } } } });
  const cut = fc
    .tuple(fc.nat(sound.length), fc.nat(20), fc.string({ unit: "binary", maxLength: 8 }))
    .map(([at, length, instead]) => sound.slice(0, at) + instead + sound.slice(at + length));
  const marks = fc.string({ unit: fc.constantFrom(..."&*!|>{}[]:-#?,'\"%@ \n\ta1<~"), maxLength: 40 });
  await fc.assert(
    fc.asyncProperty(fc.oneof(cut, marks, fc.string({ unit: "binary" })), async (text) => {
      const report = await check(text);
      if (typeof report === "string") expect(report).not.toBe("");
      else expect(report.unsafe).toBeGreaterThanOrEqual(report.silent.length);
    }),
    { numRuns: 300 },
  );
});
