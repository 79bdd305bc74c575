import { RepriseError } from "../base/errors.ts";
import type { Ledger } from "../contract/ledger.ts";
import type { CarriedContract, CarryOptions } from "./carry.ts";
import { type Background, startCompleter } from "./completer.ts";
import { createOperationCounters, type OperationCounters } from "./counters.ts";
import type { OperationDeclaration } from "./declaration.ts";
import { type Asking, Executor } from "./execute.ts";
import type { Host } from "./host.ts";
import type { AnyRefused, Outcome } from "./outcome.ts";
import { settingsOf } from "./settings.ts";
import type { Told } from "./told.ts";

/** The operations of one instance. */
export interface Operations {
  /** @throws REPRISE_BAD_DECLARATION, REPRISE_NAME_TWICE */
  readonly declare: (declaration: OperationDeclaration) => RuntimeOperation;
  readonly list: () => readonly DeclaredOperation[];
  /** Begins the background work on an open ledger. */
  readonly start: (ledger: Ledger<unknown>) => void;
  /** Ends the background work and waits for every attempt under way. */
  readonly drain: () => Promise<void>;
}

export interface DeclaredOperation {
  readonly name: string;
  readonly owner: string | undefined;
  readonly counters: OperationCounters;
  readonly declaration: OperationDeclaration;
}

/** An operation with its types erased; `OperationVerb` gives them back. */
export interface RuntimeOperation {
  readonly name: string;
  readonly execute: (input: unknown, options?: Asking) => Promise<Outcome<unknown, AnyRefused>>;
  readonly run: (input: unknown, options?: Asking) => Promise<unknown>;
  readonly find: (input: unknown, options?: Pick<Asking, "key">) => Promise<Outcome<unknown, AnyRefused> | undefined>;
  readonly executeIn?: (
    tx: unknown,
    input: unknown,
    options?: Pick<Asking, "key">,
  ) => Promise<Outcome<unknown, AnyRefused>>;
  readonly "~carry": {
    readonly contract: CarriedContract;
    readonly execute: (input: unknown, options: CarryOptions<unknown, AnyRefused>) => Promise<Told>;
  };
}

export function createOperations(host: Host, owner: string | undefined): Operations {
  const declared = new Map<string, DeclaredOperation & { readonly executor: Executor }>();
  let completer: Background | undefined;
  return {
    declare: (declaration) => {
      const settings = settingsOf(declaration);
      const { name } = settings;
      // a hot reload declares again; anywhere else two operations would share their records
      if (declared.has(name) && process.env["NODE_ENV"] !== "development") {
        throw new RepriseError("REPRISE_NAME_TWICE", { kind: "operation", name });
      }
      const counters = createOperationCounters();
      const executor = new Executor(host, settings, counters);
      declared.set(name, { name, owner: declaration.owner ?? owner, counters, declaration, executor });
      return operationOf(executor);
    },
    list: () => [...declared.values()],
    start: (ledger) => {
      for (const { name, declaration } of declared.values()) checkLedger(name, declaration, ledger);
      completer = startCompleter(host.clock(), ledger, () => [...declared.values()].map(({ executor }) => executor));
    },
    drain: async () => {
      await completer?.stop();
      await Promise.all([...declared.values()].map(({ executor }) => executor.drain()));
    },
  };
}

function operationOf(executor: Executor): RuntimeOperation {
  const { settings } = executor;
  const { name, declaration } = settings;
  const execute = async (input: unknown, options: Asking = {}) => {
    const { key, signal, wait } = options;
    return (await executor.execute(input, { key, signal, wait })).outcome;
  };
  const operation: RuntimeOperation = {
    name,
    execute,
    run: async (input, options) => valueOrError(name, declaration, await execute(input, options)),
    find: async (input, options) => (await executor.find(input, options?.key))?.outcome,
    "~carry": {
      contract: {
        operation: name,
        identity: declaration.identity === "callers-key" ? "callers-key" : "from-input",
        principal: typeof declaration.principal === "function" ? "from-input" : "everyone",
        retentionMs: settings.again === "converges" ? null : settings.retentionMs,
        refusals: Object.fromEntries(
          Object.entries(declaration.refusals ?? {}).map(([code, { status, because }]) => [code, { status, because }]),
        ),
      },
      execute: (input, { key, principal, signal, render }) =>
        executor.execute(input, { key, principal, signal, render: render as Asking["render"] }),
    },
  };
  if (declaration.effects !== "database" || settings.again === "converges") return operation;
  const executeIn: RuntimeOperation["executeIn"] = async (tx, input, options) => {
    const { outcome } = await executor.executeIn(tx, input, options?.key);
    return Object.assign({}, outcome, { provisional: true as const });
  };
  return { ...operation, executeIn };
}

/** What the compiler could not see: a ledger that was passed to `start`. */
function checkLedger(name: string, declaration: OperationDeclaration, ledger: Ledger<unknown>): void {
  if (declaration.effects !== "database" || ledger.transactional) return;
  throw new RepriseError("REPRISE_BAD_DECLARATION", {
    where: `operation '${name}'`,
    why: `ledger '${ledger.name}' has no transactions.`,
    mend: "Use one that has, or effects: 'external'.",
  });
}

/** The value of a done outcome; anything else becomes the catalogue's error. */
function valueOrError(name: string, declaration: OperationDeclaration, outcome: Outcome<unknown, AnyRefused>): unknown {
  switch (outcome.status) {
    case "done":
      return outcome.value;
    case "refused": {
      const refusal = declaration.refusals?.[outcome.code];
      throw new RepriseError("REPRISE_REFUSED", {
        operation: name,
        refusal: outcome.code,
        because: refusal?.because ?? "It was refused by an earlier version of this operation.",
        status: refusal?.status ?? 409,
      });
    }
    case "running":
      throw new RepriseError("REPRISE_RUNNING", { operation: name, retryAfterMs: outcome.retryAfterMs });
    case "mismatch":
      throw new RepriseError("REPRISE_MISMATCH", { operation: name });
    case "unknown":
      throw new RepriseError("REPRISE_UNKNOWN", { operation: name, effect: outcome.effect });
  }
}
