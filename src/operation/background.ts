import { defaults } from "../base/defaults.ts";
import { insist } from "../base/insist.ts";
import { isWorkId, isWorkIdOf, newWorkIdFor, type WorkId } from "../base/names.ts";
import { withDeadline } from "../base/promise.ts";
import type { Acceptance, Ledger, Standing } from "../contract/ledger.ts";
import type { CarriedBackground } from "./carry.ts";
import type { Dispatch } from "./declaration.ts";
import type { Executor } from "./execute.ts";
import type { Execution } from "./execution.ts";
import type { Host } from "./host.ts";
import type { AnyRefused, Outcome, Status } from "./outcome.ts";
import { decodeKept, decodeOutcome } from "./record.ts";
import { type Patience, settled, type Told, tell, told } from "./told.ts";
import type { Work } from "./work.ts";

/** Work that is accepted, and run by whoever claims it from the ledger. */

/** Writes the work down for later, and tells whoever is to run it once it is committed. */
export async function accept({ host, settings, ledger, work }: Execution, patience: Patience): Promise<Told> {
  const request = requestOf(work);
  // repeated under the same id: where the first answer was lost, the second says that it is new
  const acceptance = await insist(host.clock(), () => ledger.accept(request));
  if (acceptance.is === "accepted" && acceptance.isNew)
    await announce(settings.declaration.dispatch, acceptance.id, host);
  return toldOf(acceptance, patience);
}

/** The same in the caller's transaction. Nobody is told: an instance finds it after the commit. */
export async function acceptIn(ledger: Ledger<unknown>, tx: unknown, work: Work, patience: Patience): Promise<Told> {
  return toldOf(await ledger.acceptIn(tx, requestOf(work)), patience);
}

function requestOf(work: Work) {
  return { ...work, id: newWorkIdFor(work.owner), input: work.kept() };
}

function toldOf(acceptance: Acceptance, patience: Patience): Told {
  if (acceptance.is !== "accepted") return told(acceptance, patience);
  const { id, since, isNew } = acceptance;
  return tell({ status: "accepted", id, since: new Date(since), replayed: !isNew });
}

async function announce(dispatch: Dispatch | undefined, id: WorkId, host: Host): Promise<void> {
  if (typeof dispatch !== "function") return host.accepted();
  const { announceMs } = defaults.background;
  const told = (async () => dispatch({ id }))();
  // a broker that is away only delays: after a lease's time the instances look for what it did not bring
  await withDeadline(host.clock(), announceMs, told, () => new Error("late")).catch(() => {});
}

export interface BackgroundWork extends CarriedBackground<unknown, AnyRefused> {
  readonly resume: (id: string) => Promise<Outcome<unknown, AnyRefused> | undefined>;
}

/** What can be asked and said of accepted work by its id. */
export function backgroundOf(host: Host, executor: Executor): BackgroundWork {
  const { name } = executor.settings;

  /** An id is looked up only for whoever it was made for. */
  const standing = async (id: string, principal: string | undefined): Promise<[WorkId, Standing] | undefined> => {
    if (!isWorkId(id) || !belongsTo(id, principal)) return undefined;
    const found = await (await host.ledger()).standing(id);
    return found === null || found.operation !== name ? undefined : [id, found];
  };
  const belongsTo = (id: WorkId, principal: string | undefined): boolean => {
    if (principal === undefined) return true;
    // what belongs to everyone is shown to whoever has the id
    const owner = typeof executor.settings.declaration.principal === "function" ? principal : true;
    return isWorkIdOf(id, [host.service, name, owner]);
  };

  return {
    status: async (id, { principal } = { principal: undefined }) => {
      const found = await standing(id, principal);
      return found === undefined ? undefined : statusOf(found[1]);
    },
    cancel: async (id, { principal } = { principal: undefined }) => {
      const found = await standing(id, principal);
      if (found?.[1].is !== "going") return false;
      const [work] = found;
      const note = { who: principal ?? "(the program)", why: "it is no longer wanted" };
      if (!(await (await host.ledger()).intervene(work, { does: "cancel" }, note))) return false;
      executor.cancel(work);
      host.accepted();
      return true;
    },
    resume: async (id) => {
      if (!isWorkId(id)) return undefined;
      const query = { operations: [name], idleMs: 0, limit: 1, id };
      const [work] = await (await host.ledger()).abandoned(query);
      if (work === undefined) return undefined;
      const { outcome } = await executor.resume(work.name, decodeKept(work.input));
      return outcome.status === "accepted" ? undefined : outcome;
    },
  };
}

function statusOf(standing: Standing): Status<unknown, AnyRefused> {
  switch (standing.is) {
    case "done":
      return {
        state: "ended",
        outcome: settled(decodeOutcome(standing.outcome).settlement, { replayed: true, at: standing.at }),
      };
    case "unknown":
      return { state: "unknown", effect: standing.effect, since: new Date(standing.since) };
    case "going": {
      const { running, cancelled, progress, since } = standing;
      return { state: cancelled ? "cancelling" : running ? "running" : "waiting", since: new Date(since), progress };
    }
  }
}
