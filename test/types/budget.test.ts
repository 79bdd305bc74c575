import { join } from "node:path";
import { expect, test } from "vitest";
import { complaintsAbout, createProgram, projectOptions, root } from "./compiler.ts";

/** What a declaration costs the compiler of whoever writes it: a count, which is the same on every machine. */

const budget = 500;
const each = 200;
const path = join(root, "test/types/refusals/generated.ts");

const imports = [
  'import { createReprise, type Ledger, unchecked } from "../../../src/index.ts";',
  "interface Tx { readonly query: (text: string) => Promise<number> }",
  "declare const ledger: Ledger<Tx>;",
  'const dimensions = { tenant: "shared", user: "personal", role: "shared", locale: "shared" } as const;',
  'export const reprise = createReprise({ service: "a", dimensions, ledger });',
  "void unchecked;",
];

function declarations(index: number): string {
  const external = index % 2 === 0;
  return `
    interface Value${index} { readonly title: string; readonly seats: readonly { readonly row: number; readonly free: boolean }[] }
    declare function find${index}(workshop: string): Promise<Value${index}>;
    export const cache${index} = reprise.cache.readThrough({
      name: "cache${index}", owner: "team", holds: "public", ifStale: "An old title is shown.",
      scope: ["workshop", "locale"], sameForEvery: ["tenant", "user", "role"], freshFor: "60s", staleFor: "5m",
      load: ({ workshop }) => find${index}(workshop),
    });
    void cache${index}.get({ workshop: "w", locale: "de" });
    interface Input${index} { readonly user: string; readonly reference: string; readonly lines: readonly string[] }
    export const operation${index} = reprise.operation({
      name: "operation${index}", owner: "team", input: unchecked<Input${index}>(),
      ifRunsAgain: "replays", costIfTwice: "money", principal: (input) => input.user,
      identity: (input) => [input.reference], retention: "30d", effects: "${external ? "external" : "database"}",
      refusals: { "sold-out": { status: 409, because: "No seat is left.", detail: unchecked<{ readonly left: number }>() } },
      run: async ({ input, refuse, ${external ? "effect, transaction" : "tx"} }) => {
        if (input.lines.length === 0) throw refuse("sold-out", { left: 0 });
        ${
          external
            ? `const charge = await effect("charge", { ifUnknown: "retry", run: async (key) => ({ key }) });
               return transaction(async (tx) => ({ charge: charge.key, rows: await tx.query("insert") }));`
            : 'return { rows: await tx.query("insert") };'
        }
      },
    });
    void operation${index}.execute({ user: "u", reference: "r", lines: [] });`;
}

function instantiations(count: number): number {
  const text = [...imports, ...Array.from({ length: count }, (_, index) => declarations(index))].join("\n");
  const program = createProgram([path], projectOptions(), new Map([[path, text]]));
  expect(complaintsAbout(program, path)).toEqual([]);
  return program.getInstantiationCount();
}

test(`a declaration costs at most ${budget} instantiations`, () => {
  const perDeclaration = (instantiations(each) - instantiations(0)) / (2 * each);
  console.info(`${Math.round(perDeclaration)} instantiations a declaration (${each} caches, ${each} operations)`);
  expect(perDeclaration).toBeGreaterThan(50);
  expect(perDeclaration).toBeLessThanOrEqual(budget);
}, 120_000);
