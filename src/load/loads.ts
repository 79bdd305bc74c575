import { defaults } from "../base/defaults.ts";
import { RepriseError } from "../base/errors.ts";
import { UnderWay } from "../base/under-way.ts";
import type { Ledger } from "../contract/ledger.ts";
import type { LoadDeclaration } from "./declaration.ts";
import { checkStores, type LoadHost, sessionIn, storesOf } from "./host.ts";
import { askedCount, askedRange, cutWindows, prepare } from "./prepare.ts";
import { registerNames } from "./record.ts";
import { type Loading, run } from "./run.ts";
import { RunBook } from "./run-book.ts";
import { RunList } from "./run-list.ts";
import { type LoadSettings, loadSettingsOf } from "./settings.ts";
import type { Load, RangeOptions } from "./surface.ts";

/** The loads of one instance. */
export interface Loads {
  /** @throws REPRISE_BAD_DECLARATION, REPRISE_BAD_DURATION, REPRISE_NAME_TWICE */
  readonly declare: (declaration: LoadDeclaration) => Load;
  readonly list: () => readonly DeclaredLoad[];
  /** @throws REPRISE_BAD_DECLARATION where a declared load cannot work on this ledger */
  readonly start: (ledger: Ledger<unknown>) => void;
  /** Waits for every run under way. */
  readonly drain: () => Promise<void>;
}

export interface DeclaredLoad {
  readonly name: string;
  readonly owner: string | undefined;
  readonly declaration: LoadDeclaration;
  readonly load: Load;
}

export function createLoads(host: LoadHost, owner: string | undefined): Loads {
  const declared = new Map<string, DeclaredLoad>();
  const underWay = new UnderWay<Promise<unknown>>();

  const counted = async <T>(work: Promise<T>): Promise<T> => {
    const leave = underWay.add(work);
    try {
      return await work;
    } finally {
      leave();
    }
  };

  return {
    declare: (declaration) => {
      const settings = loadSettingsOf(declaration);
      const { name } = settings;
      // a hot reload declares again; anywhere else two loads would share their runs
      if (declared.has(name) && process.env["NODE_ENV"] !== "development")
        throw new RepriseError("REPRISE_NAME_TWICE", { kind: "load", name });
      const load = loadOf(host, settings, counted);
      declared.set(name, { name, owner: declaration.owner ?? owner, declaration, load });
      return load;
    },
    list: () => [...declared.values()],
    start: (ledger) => {
      for (const name of declared.keys()) checkStores(name, ledger);
    },
    drain: async () => {
      await Promise.allSettled([...underWay]);
    },
  };
}

function loadOf(host: LoadHost, settings: LoadSettings, counted: <T>(work: Promise<T>) => Promise<T>): Load {
  const { name } = settings;
  const names = registerNames(host.service, name);
  // with what follows it in the names of windows; a store keeps 255 characters
  if (names.load.length > 200) {
    throw new RepriseError("REPRISE_BAD_DECLARATION", {
      where: `load '${name}'`,
      why: "its name, with the service's, is too long for what is kept of its runs.",
      mend: "Use at most some 180 characters for both together.",
    });
  }
  const loading = async (): Promise<Loading> => ({
    ...{ host, settings, names },
    stores: await storesOf(name, await host.ledger()),
  });
  let listed: { readonly of: unknown; readonly runs: RunList } | undefined;
  const listing = async (): Promise<RunList> => {
    const { registers, leases } = checkStores(name, await host.connected());
    if (listed?.of !== registers) {
      listed = { of: registers, runs: new RunList(new RunBook(registers, names), leases, names.load) };
    }
    return listed.runs;
  };
  return {
    name,
    run: (options = {}) => counted(loading().then((one) => run(one, options))),
    preview: (options = {}) => counted(loading().then((one) => preview(one, options))),
    reconcile: ({ list = defaults.load.listed, ...options } = {}) =>
      counted(loading().then((one) => reconcile(one, options, list))),
    refusal: () => counted(listing().then((runs) => runs.refusal())),
    runs: (limit = defaults.load.runsListed) => {
      const newest = async () => {
        askedCount(settings, "limit", 1, limit);
        return (await listing()).newest(limit);
      };
      return counted(newest());
    },
  };
}

const preview = ({ settings, stores }: Loading, options: RangeOptions): ReturnType<Load["preview"]> => {
  const asked = askedRange(settings, options);
  return stores.sql.begin(async (tx) => {
    const session = sessionIn(stores, tx);
    const prepared = await prepare(stores.dialect, session, settings, asked);
    if (prepared.is === "refused") return { status: "refused", because: prepared.because };
    const cut = await cutWindows(stores.dialect, session, settings, prepared);
    if ("because" in cut) return { status: "refused", because: cut.because };
    const counts = await stores.dialect.preview(session, prepared.job, prepared.range);
    return { status: "previewed", ...counts };
  }, defaults.load.wholeMs);
};

const reconcile = (
  { settings, stores }: Loading,
  options: RangeOptions,
  list: number,
): ReturnType<Load["reconcile"]> => {
  const asked = askedRange(settings, options);
  askedCount(settings, "list", 0, list);
  return stores.sql.begin(async (tx) => {
    const session = sessionIn(stores, tx);
    const prepared = await prepare(stores.dialect, session, settings, asked);
    if (prepared.is === "refused") return { status: "refused", because: prepared.because };
    const comparison = await stores.dialect.compare(session, prepared.job, prepared.range, list);
    const { missing, differing, older, extra } = comparison;
    return { status: "compared", equal: missing + differing + older + extra === 0, ...comparison };
  }, defaults.load.wholeMs);
};
