/** Yes, or why not: the reason is shown with the cases that are left out. */
export type Capability = true | { readonly not: string };

/** One case of a suite, for any test runner. */
export interface SuiteCase {
  readonly name: string;
  /** Why it is left out here; `null`: it is not. */
  readonly skip: string | null;
  readonly run: () => Promise<void>;
}

interface Adapter<Stage> {
  readonly name: string;
  readonly can: Readonly<Record<string, Capability | undefined>>;
  readonly open: () => Promise<Stage>;
}

interface Scenario<Stage> {
  readonly name: string;
  readonly needs?: readonly string[];
  readonly run: (stage: Stage) => Promise<void>;
}

/** Binds scenarios to an adapter: each opens a stage of its own, and closes it whatever becomes of it. */
export function casesOf<Stage extends { readonly close: () => Promise<void> }>(
  adapter: Adapter<Stage>,
  scenarios: readonly Scenario<NoInfer<Stage>>[],
): readonly SuiteCase[] {
  return scenarios.map(({ name, needs = [], run }) => {
    const missing = needs.map((need) => adapter.can[need] ?? true).find((can) => can !== true);
    return {
      name: `${adapter.name}: ${name}`,
      skip: missing === undefined ? null : missing.not,
      run: async () => {
        const stage = await adapter.open();
        try {
          await run(stage);
        } finally {
          await stage.close();
        }
      },
    };
  });
}
