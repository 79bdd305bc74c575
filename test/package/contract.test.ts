import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Validator } from "@seriousme/openapi-schema-validator";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { runCommand } from "./command.ts";
import { type Installed, install, root } from "./installed.ts";

/** `npx reprise contract` as a person has it: from the installed package, as a process of its own. */

const golden = (name: string) => readFileSync(join(root, "test/golden/contract", name), "utf8");

let installed: Installed;
beforeAll(async () => {
  installed = await install();
  installed.write("shop.mjs", golden("shop.mjs"));
});
afterAll(() => installed.remove());

const contract = (...args: readonly string[]) => runCommand(installed, ["contract", ...args]);
const checkText = (text: string, ...args: readonly string[]) =>
  runCommand(installed, ["contract", "--check", "-", ...args], text);

async function complaintsOf(document: object): Promise<unknown> {
  const validator = new Validator();
  const { valid, errors } = await validator.validate({ ...document });
  if (!valid) return errors;
  // throws where a reference names nothing
  validator.resolveRefs();
  return [];
}

describe("what is printed", () => {
  test.each([
    ["Markdown, unless asked otherwise", [], "contract.md"],
    ["one JSON document", ["--json"], "contract.json"],
    ["one JSON document", ["--format", "json"], "contract.json"],
    ["OpenAPI as YAML", ["--format", "openapi"], "openapi.yaml"],
  ])("is %s", async (_, args, file) => {
    const { code, out, err } = await contract("shop.mjs", ...args);
    expect({ code, err }).toEqual({ code: 0, err: "" });
    await expect(out).toMatchFileSnapshot(join(root, "test/golden/contract", file));
  });

  test("is the same OpenAPI as JSON with --json", async () => {
    const { code, out } = await contract("shop.mjs", "--format", "openapi", "--json");
    expect(code).toBe(0);
    expect(JSON.parse(out)).toEqual(parse(golden("openapi.yaml")));
  });

  test("is valid OpenAPI 3.1, alone and where paths refer to it", async () => {
    const fragments = parse(golden("openapi.yaml"));
    expect(await complaintsOf(fragments)).toEqual([]);
    const paths = Object.fromEntries(
      Object.keys(fragments.components.pathItems).map((name) => [
        `/${name}`,
        { $ref: `#/components/pathItems/${name}` },
      ]),
    );
    expect(await complaintsOf({ ...fragments, paths })).toEqual([]);
    // the validator does find what is wrong
    expect(await complaintsOf({ ...fragments, info: {} })).not.toEqual([]);
  });

  test("holds what --check looks for: a document that refers to it promises something everywhere", async () => {
    const fragments = golden("openapi.yaml");
    installed.write("contract.yaml", fragments);
    const paths = Object.keys(parse(fragments).components.pathItems)
      .map((name) => `  /${encodeURIComponent(name)}: { $ref: "contract.yaml#/components/pathItems/${name}" }`)
      .join("\n");
    const api = installed.write("api.yaml", `openapi: 3.1.0\ninfo: { title: t, version: "1" }\npaths:\n${paths}\n`);
    const { code, out } = await contract("--check", api, "--json");
    expect(JSON.parse(out)).toMatchObject({ unsafe: 3, silent: [] });
    expect(code).toBe(0);
  });
});

describe("the module", () => {
  const instance = (service: string) => `createReprise({ service: "${service}", undecided: "listed" })`;

  test.each([
    ["by a name", `export const anything = ${instance("a")};`, ["a"]],
    ["as its default", `export default ${instance("a")};`, ["a"]],
    ["as a part of an object", `export const app = { reprise: ${instance("a")}, other: null };`, ["a"]],
    ["several of them", `export const a = ${instance("a")}; export const b = ${instance("b")};`, ["a", "b"]],
    ["one twice", `export const a = ${instance("a")}; export default a;`, ["a"]],
  ])("may export its instance %s", async (_, text, services) => {
    installed.write("exporting.mjs", `import { createReprise } from "reprise";\n${text}`);
    const { code, out } = await contract("exporting.mjs", "--json");
    expect(code).toBe(0);
    expect(JSON.parse(out).services.map(({ service }: { service: string }) => service)).toEqual(services);
  });

  test("may be CommonJS", async () => {
    installed.write("common.cjs", `exports.reprise = require("reprise").createReprise({ service: "c" });`);
    expect(JSON.parse((await contract("common.cjs", "--json")).out)).toEqual({
      services: [{ service: "c", operations: [] }],
    });
  });

  test("may be TypeScript where Node runs it, and is told where it does not", async () => {
    const text = `import { createReprise } from "reprise"; export const typed = createReprise({ service: "t" as string });`;
    installed.write("typed.ts", text);
    const { code, out, err } = await contract("typed.ts");
    if ("typescript" in process.features && process.features.typescript !== false) {
      expect({ code, out }).toMatchObject({ code: 0, out: expect.stringMatching(/^# t: /) });
    } else {
      expect({ code, out }).toEqual({ code: 2, out: "" });
      expect(err).toMatch(/cannot run such a file.*Node 22\.18 and later/);
    }
  });

  test("may use another copy of the package than the command", async () => {
    const other = `file://${join(root, "dist/index.mjs")}`;
    const text = golden("shop.mjs").replace('"reprise"', `"${other}"`);
    expect(text).toContain(other);
    installed.write("other-copy.mjs", text);
    expect((await contract("other-copy.mjs")).out).toBe(golden("contract.md"));
  });

  test("opens nothing: the ledger's file is not made", async () => {
    installed.write(
      "declares.mjs",
      `import { createReprise, unchecked } from "reprise"; import { sqliteLedger } from "reprise/sqlite";
       export const reprise = createReprise({ service: "s", ledger: sqliteLedger({ path: "never.db" }), undecided: "listed" });
       reprise.operation({ name: "a", input: unchecked(), principal: "everyone", identity: "callers-key", retention: "1d", effects: "database", run: async () => 1 });`,
    );
    expect((await contract("declares.mjs")).code).toBe(0);
    expect(existsSync(join(installed.folder, "never.db"))).toBe(false);
  });

  test("may print, listen and never end: only the contract is printed, and nothing stays", async () => {
    installed.write(
      "listens.mjs",
      `import { createServer } from "node:http"; import { writeFileSync } from "node:fs"; import { createReprise } from "reprise";
       console.log("starting", process.argv.length);
       process.on("SIGTERM", () => { writeFileSync("ended.txt", "ended"); process.exit(); });
       await new Promise((listening) => createServer().listen(0, "127.0.0.1", listening));
       setInterval(() => {}, 1_000);
       export const reprise = createReprise({ service: "listens" });`,
    );
    const { code, out, err } = await contract("listens.mjs");
    expect({ code, err }).toEqual({ code: 0, err: "starting 2\n" });
    expect(out).toBe("# listens: what callers are promised\n\nNo operation is declared, so nothing is promised.\n");
    expect(readFileSync(join(installed.folder, "ended.txt"), "utf8")).toBe("ended");
  });

  test.each([
    ["is not there", "nowhere.mjs", undefined, /'nowhere\.mjs': there is no such file/],
    ["is a folder", ".", undefined, /is a folder/],
    ["exports no instance", "none.mjs", "export const one = 1;", /exports no instance of createReprise/],
    ["throws", "throws.mjs", 'throw new Error("no settings");', /could not be imported:\nError: no settings\n/],
    ["is not to be parsed", "wrong.mjs", "export const = 1;", /could not be imported:\nSyntaxError/],
    ["imports what is not there", "lacks.mjs", 'import "nothing-of-this-name";', /Cannot find package/],
    ["ends the process", "exits.mjs", "process.exit(0);", /ended its process \(exit code 0\)/],
    ["awaits what never comes", "awaits.mjs", "await new Promise(() => {});", /ended its process \(exit code 0\)/],
    ["is of no kind that Node runs", "app.weird", "export {}", /cannot run such a file/],
    [
      "declares what may not be",
      "bad.mjs",
      'import { createReprise } from "reprise"; createReprise({ service: "" });',
      /REPRISE_BAD_DECLARATION/,
    ],
    [
      "has an instance of another version",
      "old.mjs",
      `export const old = { "~inside": { service: "old" }, decisions: () => [{ kind: "operation", name: "a", contract: { promise: "", answers: [] } }] };`,
      /'old' was made by another version/,
    ],
  ])("that %s is told with exit code 2", async (_, name, text, why) => {
    if (text !== undefined) installed.write(name, text);
    const { code, out, err } = await contract(name);
    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(err).toMatch(why);
    expect(err).toMatch(/^error: /);
  });

  test.each([
    ["waits", "setInterval(() => {}, 1_000); await new Promise(() => {});"],
    ["never comes back", "for (;;);"],
    [
      "does not let itself be ended",
      'process.on("SIGTERM", () => {}); setInterval(() => {}, 1_000); await new Promise(() => {});',
    ],
  ])("that %s is given up at the deadline, and killed", async (_, text) => {
    const module = installed.write("late.mjs", text);
    const { code, err } = await contract("late.mjs", "--deadline", "1s");
    expect(code).toBe(2);
    expect(err).toMatch(/was not imported in 1 s.*--deadline/);
    expect(running(module)).toEqual([]);
  });

  test.each([
    ["neither a module nor --check", [], /Give a module .* or --check/],
    ["both", ["shop.mjs", "--check", "a.yaml"], /Give a module .* or --check/],
    ["a format with --check", ["--check", "a.yaml", "--format", "json"], /--json there is/],
    ["Markdown as JSON", ["shop.mjs", "--format", "markdown", "--json"], /Markdown is no JSON/],
    ["an unknown format", ["shop.mjs", "--format", "pdf"], /markdown, json, openapi/],
    ["a deadline without a unit", ["shop.mjs", "--deadline", "5"], /500ms, 20s or 2m/],
  ])("usage with %s is told with exit code 2", async (_, args, why) => {
    const { code, out, err } = await contract(...args);
    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(err).toMatch(why);
  });
});

describe("reprise decisions", () => {
  const decisions = (...args: readonly string[]) => runCommand(installed, ["decisions", ...args]);

  test("tells each question with its answer, and what nobody has decided", async () => {
    const { code, out, err } = await decisions("shop.mjs");
    expect({ code, err }).toEqual({ code: 0, err: "" });
    expect(out).toMatch(/^shop$/m);
    expect(out).toMatch(/^operation note: add {2}nobody has decided: owner, ifRunsAgain, costIfTwice, input$/m);
    expect(out).toMatch(/^operation stock\.set {2}nobody has decided: input$/m);
    expect(out).toMatch(/^ {2}retention +12h$/m);
    expect(out).toMatch(/^ {2}lease +30s \(default\)$/m);
    expect(out).toMatch(/^ {2}owner +\?$/m);
  });

  test("tells the same as one JSON document with --json", async () => {
    const { code, out } = await decisions("shop.mjs", "--json");
    expect(code).toBe(0);
    const { services } = JSON.parse(out);
    expect(services).toMatchObject([
      { service: "shop", decisions: [{ kind: "operation", name: "order.place" }, {}, {}] },
    ]);
  });

  test("says why it cannot read a module, with exit code 2", async () => {
    expect(await decisions("nowhere.mjs")).toMatchObject({
      code: 2,
      out: "",
      err: expect.stringMatching(/no such file/),
    });
    expect(await decisions()).toMatchObject({ code: 2, out: "", err: expect.stringMatching(/argument 'module'/) });
  });
});

describe("--check", () => {
  const api = `openapi: 3.0.3
info: { title: t, version: "1" }
paths:
  /orders:
    get: { responses: {} }
    post: { operationId: placeOrder, responses: {} }
  /orders/{id}:
    parameters: [{ $ref: "#/components/parameters/Key" }]
    delete: { operationId: dropOrder, responses: {} }
  /stock:
    put: { x-reprise: { promise: "Safe to repeat." }, responses: {} }
  /notes:
    patch: { parameters: [{ $ref: "https://example.com/parameters.yaml#/Key" }], responses: {} }
components:
  parameters:
    Key: { name: Idempotency-Key, in: header, schema: { type: string } }
`;

  test("lists the methods that promise nothing, with exit code 1", async () => {
    const { code, out } = await contract("--check", installed.write("api.yaml", api));
    expect(code).toBe(1);
    expect(out).toMatch(/^2 of 4 methods that change something promise nothing about retrying:$/m);
    expect(out).toMatch(/^ {2}POST {4}\/orders {2}placeOrder$/m);
    expect(out).toMatch(
      /^ {2}PATCH {3}\/notes\n.*'https:\/\/example\.com\/parameters\.yaml#\/Key' cannot be followed$/m,
    );
    expect(out).not.toMatch(/dropOrder|stock/);
  });

  test("prints one JSON document with --json", async () => {
    const { code, out } = await checkText(api, "--json");
    expect(code).toBe(1);
    expect(JSON.parse(out)).toEqual({
      document: "-",
      openapi: "3.0.3",
      unsafe: 4,
      silent: [
        { method: "POST", path: "/orders", operationId: "placeOrder", unfollowed: [] },
        {
          method: "PATCH",
          path: "/notes",
          operationId: null,
          unfollowed: ["https://example.com/parameters.yaml#/Key"],
        },
      ],
    });
  });

  test("ends with 0 where every method says something, or none changes anything, in JSON too", async () => {
    const said = { openapi: "3.1.0", paths: { "/a": { delete: { "x-reprise": { promise: "Safe to repeat." } } } } };
    expect(await checkText(JSON.stringify(said))).toMatchObject({
      code: 0,
      out: "All 1 methods that change something say what a retry does.\n",
    });
    expect(await checkText('{"openapi":"3.1.0"}')).toMatchObject({
      code: 0,
      out: "No method of this document changes anything.\n",
    });
  });

  test("follows references into files beside the document", async () => {
    installed.write("parts.yaml", "item: { post: { parameters: [{ $ref: '#/key' }] } }\nkey: { $ref: 'key.json' }\n");
    installed.write("key.json", JSON.stringify({ name: "idempotency-key", in: "header" }));
    const split = installed.write("split.yaml", "openapi: 3.1.0\npaths: { /a: { $ref: 'parts.yaml#/item' } }\n");
    expect(JSON.parse((await contract("--check", split, "--json")).out)).toMatchObject({ unsafe: 1, silent: [] });
  });

  test("prints no control character of a document", async () => {
    const { out } = await checkText(JSON.stringify({ openapi: "3.1.0", paths: { "/a\u001b[2J": { post: {} } } }));
    expect(out).toContain("/a?[2J");
  });

  test.each([
    ["is empty", " \n", /it is empty/],
    ["cannot be parsed", "a: [1,\nb: }", /neither YAML nor JSON: .*line 2/],
    ["has one key twice", "openapi: 3.1.0\nopenapi: 3.1.0", /neither YAML nor JSON: Map keys must be unique/],
    ["is a trap of anchors", trap(), /anchors cannot be resolved/],
    ["is something else", "just text", /it is no OpenAPI document/],
    ["names no version", "openapi: 3.1", /names no version, such as '3\.1\.0'/],
    ["is of an old version", 'swagger: "2.0"', /Swagger 2\.0/],
    ["is of a later version", "openapi: 3.9.0", /Give a document of OpenAPI 3\.0 or 3\.1/],
    ["has paths that are none", "openapi: 3.1.0\npaths: 1", /'paths' is no object/],
    ["has a list of paths", "openapi: 3.1.0\npaths: []", /'paths' is no object/],
    [
      "refers to a path nowhere",
      "openapi: 3.1.0\npaths: { /a: { $ref: '#/no' } }",
      /'\/a' refers to '#\/no', which cannot/,
    ],
    ["refers in a circle", "openapi: 3.1.0\npaths: { /a: { $ref: '#/paths/~1a' } }", /which cannot be followed/],
  ])("a document that %s is told with exit code 2", async (_, text, why) => {
    const { code, out, err } = await checkText(text);
    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(err).toMatch(why);
  });

  test("a document that is not there is told with exit code 2", async () => {
    expect(await contract("--check", "nowhere.yaml")).toMatchObject({
      code: 2,
      out: "",
      err: expect.stringMatching(/'nowhere\.yaml' cannot be read: there is no such file/),
    });
  });
});

/** The processes that were started with the module as an argument. */
function running(module: string): readonly string[] {
  const commands = execFileSync("ps", ["-axo", "args"], { encoding: "utf8" }).split("\n");
  return commands.filter((command) => command.includes(module));
}

/** Each line doubles what is before: no memory holds it written out. */
function trap(): string {
  const lines = Array.from({ length: 40 }, (_, at) => `a${at + 1}: &a${at + 1} [*a${at}, *a${at}]`);
  return ["openapi: 3.1.0", "a0: &a0 [x]", ...lines].join("\n");
}
