import { RepriseError } from "../../base/errors.ts";
import type { Fence, Ledger } from "../../contract/ledger.ts";
import { acceptWork, claimWork, findWork } from "./claim.ts";
import { createDueList, type DueList } from "./due.ts";
import { pinEffect, renewLease, restartEffect, startEffect } from "./effects.ts";
import {
  completeWork,
  createSweep,
  discardOwn,
  isOver,
  parkOwn,
  parkStalled,
  releaseWork,
  removeWhole,
} from "./endings.ts";
import { type Bind, createHost, type Host, type HostOptions } from "./host.ts";
import { createIds, type Ids } from "./ids.ts";
import { createIntents, type Intents } from "./intents.ts";
import { itemJournal } from "./journal.ts";
import { type Clearing, createKeys, type Keys } from "./keys.ts";
import { itemLeases } from "./leases.ts";
import {
  abandonedWork,
  interveneWork,
  parkAbandoned,
  recentRuns,
  runHistory,
  succeededTwice,
  workStanding,
} from "./looking.ts";
import { itemRegisters } from "./registers.ts";
import { itemSchema } from "./schema.ts";
import { createWorks, type Works } from "./works.ts";

/** What the parts of a ledger of items have in common. */
export interface ItemLedger extends Host, Clearing {
  readonly works: Works;
  readonly keys: Keys;
  readonly ids: Ids;
  readonly due: DueList;
  readonly intents: Intents;
  /** Deletes an owner's work, if nothing of it ever happened. */
  readonly discard: (fence: Fence, signal: AbortSignal) => Promise<"released" | "effects" | "fenced">;
}

/**
 * A ledger over a store of items: each work with its effects is one item, and every step of it one conditional write.
 * What leads to it otherwise (a caller's key, an accepted id, the list of what is to be come for) is an item of its own,
 * written before it and deleted after it; none of them says anything that the work itself does not confirm.
 */
export function createItemLedger(bind: Bind, options: HostOptions): Ledger<never> {
  const host = createHost(bind, options);
  const works = createWorks(host);
  const due = createDueList(host);
  const ids = createIds(host);
  const intents = createIntents(host);
  const clearing: Clearing = {
    isOver: (work, moment, signal) => isOver({ works }, work, moment, signal),
    clear: (work, kept, signal) => removeWhole({ works, keys, ids, due, intents }, work, kept, signal),
  };
  const keys: Keys = createKeys(host, works, clearing);
  const ledger: ItemLedger = {
    ...host,
    ...clearing,
    works,
    keys,
    ids,
    due,
    intents,
    discard: (fence, signal) => discardOwn(ledger, fence, signal),
  };
  const { name, call } = ledger;
  const sweep = createSweep(ledger);
  const noTransactions = async (): Promise<never> => {
    throw new RepriseError("REPRISE_BAD_DECLARATION", {
      where: `ledger '${name}'`,
      why: "it has no transactions.",
      mend: "Use one that has, or effects: 'external'.",
    });
  };

  return {
    name,
    transactional: false,
    open: host.open,
    close: host.close,

    claim: (request) => call("claim", (signal) => claimWork(ledger, request, signal)),
    find: (request) => call("find", (signal) => findWork(ledger, request, signal)),
    renew: (fence, leaseMs, progress) =>
      call("renew", (signal) => renewLease(ledger, fence, leaseMs, progress, signal)),

    accept: (request) => call("accept", (signal) => acceptWork(ledger, request, signal)),
    standing: (id) => call("standing", (signal) => workStanding(ledger, id, signal)),

    start: (fence, effect) => call("start", (signal) => startEffect(ledger, fence, effect, signal)),
    restart: (fence, effect) => call("restart", (signal) => restartEffect(ledger, fence, effect, signal)),
    pin: (id, effect, answer) => call("pin", (signal) => pinEffect(ledger, id, effect, answer, signal)),

    complete: (fence, completion) => call("complete", (signal) => completeWork(ledger, fence, completion, signal)),
    release: (fence, release) => call("release", (signal) => releaseWork(ledger, fence, release, signal)),
    park: (fence, parking) => call("park", (signal) => parkOwn(ledger, fence, parking, signal)),

    transaction: noTransactions,
    transact: noTransactions,
    conclude: noTransactions,
    atomic: noTransactions,
    join: noTransactions,
    acceptIn: noTransactions,

    abandoned: (query) => call("abandoned", (signal) => abandonedWork(ledger, query, signal)),
    parkStalled: (work, why) => call("park stalled", (signal) => parkStalled(ledger, work, why, signal)),
    parkAbandoned: (queries) => call("park abandoned", (signal) => parkAbandoned(ledger, queries, signal)),
    sweep: (limit) => call("sweep", (signal) => sweep(limit, signal)),

    intervene: (id, intervention, note) =>
      call("intervene", (signal) => interveneWork(ledger, id, intervention, note, signal)),

    recent: (query) => call("recent", (signal) => recentRuns(ledger, query, signal)),
    history: (id) => call("history", (signal) => runHistory(ledger, id, signal)),
    twice: (query) => call("twice", (signal) => succeededTwice(ledger, query, signal)),

    journal: itemJournal(host),
    leases: itemLeases(host),
    registers: itemRegisters(host),
    schema: itemSchema(host),
  };
}
