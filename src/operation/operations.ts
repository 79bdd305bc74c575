import { defaults } from "../base/defaults.ts";
import { RepriseError } from "../base/errors.ts";
import type { Ledger } from "../contract/ledger.ts";
import { type BackgroundWork, backgroundOf } from "./background.ts";
import type { CarriedContract, CarryOptions, Together } from "./carry.ts";
import { type Completer, startCompleter } from "./completer.ts";
import { createOperationCounters, type OperationCounters } from "./counters.ts";
import type { OperationDeclaration } from "./declaration.ts";
import { type Asking, Executor } from "./execute.ts";
import type { Host } from "./host.ts";
import type { AcceptedOutcome, AnyRefused, Outcome } from "./outcome.ts";
import { settingsOf } from "./settings.ts";
import type { Told } from "./told.ts";
import { keepUp } from "./upkeep.ts";

/** The operations of one instance. */
export interface Operations {
  /** @throws REPRISE_BAD_DECLARATION, REPRISE_NAME_TWICE */
  readonly declare: (declaration: OperationDeclaration) => RuntimeOperation;
  readonly list: () => readonly DeclaredOperation[];
  /** Checks what is declared on an open ledger, and begins the background work there if this instance completes any. */
  readonly start: (ledger: Ledger<unknown>, completes: boolean) => void;
  /** The background work once, by a process that the platform ends: at `endsAt` of the monotonic clock. */
  readonly keepUp: (ledger: Ledger<unknown>, endsAt: number) => Promise<void>;
  /** Ends the background work and waits for every attempt under way. */
  readonly drain: () => Promise<void>;
}

export interface DeclaredOperation {
  readonly name: string;
  readonly owner: string | undefined;
  readonly counters: OperationCounters;
  readonly declaration: OperationDeclaration;
}

type AnyOutcome = Outcome<unknown, AnyRefused> | AcceptedOutcome;

/** An operation with its types erased; `OperationVerb` gives them back. */
export interface RuntimeOperation extends Partial<BackgroundWork> {
  readonly name: string;
  readonly execute: (input: unknown, options?: Asking) => Promise<AnyOutcome>;
  readonly run: (input: unknown, options?: Asking) => Promise<unknown>;
  readonly find: (input: unknown, options?: Pick<Asking, "key">) => Promise<AnyOutcome | undefined>;
  readonly executeIn?: (tx: unknown, input: unknown, options?: Pick<Asking, "key">) => Promise<AnyOutcome>;
  readonly "~carry": {
    readonly contract: CarriedContract;
    readonly execute: (input: unknown, options: CarryOptions<unknown, AnyRefused>) => Promise<Told>;
    readonly find: (input: unknown, options: Pick<Asking, "key">) => Promise<Told | null>;
    readonly together?: Together<unknown, unknown, AnyRefused>;
    readonly background?: BackgroundWork;
  };
}

/** @param workers how many runs that nobody waits for an instance has under way at most */
export function createOperations(
  given: Omit<Host, "accepted">,
  owner: string | undefined,
  workers: number,
): Operations {
  const declared = new Map<string, DeclaredOperation & { readonly executor: Executor }>();
  let completer: Completer | undefined;
  const host: Host = { ...given, accepted: () => completer?.wake() };
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
      return operationOf(host, executor);
    },
    list: () => [...declared.values()],
    start: (ledger, completes) => {
      for (const { name, declaration } of declared.values()) checkLedger(name, declaration, ledger);
      if (!completes) return;
      const executors = () => [...declared.values()].map(({ executor }) => executor);
      completer = startCompleter(host.clock(), ledger, executors, workers);
    },
    keepUp: (ledger, endsAt) => {
      const executors = [...declared.values()].map(({ executor }) => executor);
      return keepUp(ledger, executors, { clock: host.clock(), workers, endsAt });
    },
    drain: async () => {
      await completer?.stop();
      await Promise.all([...declared.values()].map(({ executor }) => executor.drain()));
    },
  };
}

function operationOf(host: Host, executor: Executor): RuntimeOperation {
  const { settings } = executor;
  const { name, declaration } = settings;
  const isBackground = declaration.dispatch !== undefined;
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
        costIfTwice: declaration.costIfTwice ?? null,
        refusals: Object.fromEntries(
          Object.entries(settings.refusals).map(([code, { status, because }]) => [code, { status, because }]),
        ),
      },
      execute: (input, options) => executor.execute(input, askingOf(options)),
      find: (input, { key }) => executor.find(input, key),
      ...(declaration.effects === "database" && !isBackground && { together: togetherBy(executor) }),
    },
  };
  if (!isBackground && (declaration.effects !== "database" || settings.again === "converges")) return operation;
  const executeIn: RuntimeOperation["executeIn"] = async (tx, input, options) => {
    const { outcome } = await executor.executeIn(tx, input, options?.key);
    return Object.assign({}, outcome, { provisional: true as const });
  };
  if (!isBackground) return { ...operation, executeIn };
  const background = backgroundOf(host, executor);
  return { ...operation, ...background, executeIn, "~carry": { ...operation["~carry"], background } };
}

function askingOf(options: CarryOptions<unknown, AnyRefused>): Asking {
  const { key, principal, signal, stay, parent, callers, render } = options;
  return { key, principal, signal, stay, parent, callers, render: render as Asking["render"] };
}

function togetherBy(executor: Executor): Together<unknown, unknown, AnyRefused> {
  return (requests) =>
    executor.executeTogether(requests.map(({ input, options }) => ({ input, asking: askingOf(options) })));
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
function valueOrError(name: string, declaration: OperationDeclaration, outcome: AnyOutcome): unknown {
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
    case "accepted":
      throw new RepriseError("REPRISE_RUNNING", { operation: name, retryAfterMs: defaults.http.statusAfterMs });
    case "mismatch":
      throw new RepriseError("REPRISE_MISMATCH", { operation: name });
    case "unknown":
      throw new RepriseError("REPRISE_UNKNOWN", { operation: name, effect: outcome.effect });
  }
}
