import { defaults } from "../../base/defaults.ts";
import { type AttemptId, type Name, newAttemptId, newWorkId, type WorkId } from "../../base/names.ts";
import type {
  Acceptance,
  AcceptRequest,
  Claim,
  ClaimRequest,
  EffectRecord,
  Fence,
  FindRequest,
  Mismatch,
  Open,
  Running,
  Won,
  WorkRequest,
} from "../../contract/ledger.ts";
import { effectRecords, noteAttempt, parkWork } from "../work.ts";
import { isExpired, type Work } from "./work.ts";

const { unboundedRetryMs } = defaults.ledger;

/** What external work is claimed with. */
type Lease = Pick<ClaimRequest, "attempt" | "leaseMs" | "input" | "resuming">;

/** How new work begins: somebody's, or nobody's yet. */
type Beginning = Pick<Work, "id" | "attempt" | "state" | "leaseUntil" | "input">;

/** All works and keys. Every function is one step: nothing interleaves. */
export interface Shelf {
  readonly works: () => Iterable<Work>;
  readonly get: (name: Name) => Work | undefined;
  readonly byId: (id: WorkId) => Work | undefined;
  /** Claims the work for an attempt. */
  readonly claim: (now: number, request: ClaimRequest) => Claim;
  /** Claims the work for the open transaction that will finish it. */
  readonly claimIn: (now: number, request: WorkRequest, scope: Scope) => Claim;
  /** Writes work down as open, in `scope`'s transaction or in none. */
  readonly accept: (now: number, request: AcceptRequest, scope: Scope | undefined) => Acceptance;
  readonly find: (now: number, request: FindRequest) => Exclude<Claim, Won> | Open | null;
  readonly remove: (work: Work) => void;
  /** Past its keep, and no parent needs it. */
  readonly isOver: (work: Work, now: number) => boolean;
}

/** An open transaction, as the records see it: what its end makes of them. */
export interface Scope {
  readonly transaction: object;
  readonly commit: (() => void)[];
  readonly undo: (() => void)[];
}

export function createShelf(): Shelf {
  const works = new Map<Name, Work>();
  const keys = new Map<Name, Work>();
  const ids = new Map<WorkId, Work>();

  const remove = (work: Work): void => {
    works.delete(work.name);
    ids.delete(work.id);
    for (const key of work.keys) keys.delete(key);
  };

  const isOver = (work: Work, now: number): boolean => {
    const parent = work.parent === null ? undefined : works.get(work.parent);
    return isExpired(work, now) && (parent === undefined || parent.state === "done");
  };

  const add = (now: number, request: WorkRequest, beginning: Beginning, scope: Scope | undefined): Work => {
    const work: Work = {
      name: request.name,
      id: beginning.id,
      print: request.print,
      createdAt: now,
      parent: request.parent,
      intent: request.intent,
      keys: new Set(),
      effects: new Map(),
      attempts: [],
      about: request.about,
      attempt: beginning.attempt,
      token: 1,
      resumes: 0,
      state: beginning.state,
      leaseUntil: beginning.leaseUntil,
      notBefore: 0,
      input: beginning.input,
      outcome: "",
      refused: false,
      keepUntil: now + request.keepMs,
      endedAt: null,
      effect: "",
      why: null,
      progress: null,
      cancelled: false,
      openIn: scope?.transaction ?? null,
      transactions: new Map(),
    };
    works.set(work.name, work);
    ids.set(work.id, work);
    if (request.key !== null) addKey(work, request.key);
    if (scope !== undefined) belongs(work, scope, () => remove(work));
    return work;
  };

  const addKey = (work: Work, key: Name): void => {
    keys.set(key, work);
    work.keys.add(key);
  };

  /** A further key lives as long as its work, so the work must live as long as this key's promise. */
  const bind = (now: number, request: WorkRequest, work: Work, key: Name, scope: Scope | undefined): void => {
    work.keepUntil = Math.max(work.keepUntil, now + request.keepMs);
    addKey(work, key);
    scope?.undo.push(() => {
      keys.delete(key);
      work.keys.delete(key);
    });
  };

  /** The work that is kept under the name, and the one that the key belongs to; what is past its keep is gone. */
  const look = (now: number, { name, key }: FindRequest, drop: boolean) => {
    const kept = (work: Work | undefined): Work | undefined => {
      if (work === undefined || !isOver(work, now)) return work;
      if (drop) remove(work);
      return undefined;
    };
    const owner = key === null ? undefined : kept(keys.get(key));
    return { work: kept(works.get(name)), owner };
  };

  const take = (
    now: number,
    request: WorkRequest,
    lease: Lease | null,
    work: Work,
    attempt: AttemptId,
    scope: Scope | undefined,
  ): Claim => {
    const effects = effectRecords(work, now);
    const fence = { name: work.name, id: work.id, attempt };
    if (work.state === "running" && work.attempt === attempt) {
      // the first answer was lost
      if (lease !== null) work.leaseUntil = now + lease.leaseMs;
      return wonOf(work, fence, false, effects);
    }
    const tookOver = work.state === "running";
    if (tookOver) {
      noteAttempt(work, "taken-over", now, null);
      scope?.undo.push(() => work.attempts.pop());
    }
    const [first] = effects;
    if (scope !== undefined && first !== undefined) {
      // database work completes over no effect: what happened under an earlier declaration is a person's
      parkWork(work, now, first.effect, "work with effects of its own was claimed as database work");
      return { is: "unknown", effect: first.effect, since: now };
    }
    const before = { ...work };
    if (scope !== undefined) belongs(work, scope, () => Object.assign(work, before));
    Object.assign(work, {
      attempt,
      token: work.token + 1,
      resumes: work.resumes + (lease?.resuming === true ? 1 : 0),
      state: "running",
      leaseUntil: now + (lease?.leaseMs ?? 0),
      notBefore: 0,
      input: work.input ?? lease?.input ?? null,
      about: { ...work.about, owner: request.about.owner },
      openIn: scope?.transaction ?? null,
    } satisfies Partial<Work>);
    return wonOf(work, fence, tookOver, effects);
  };

  /** What stands under the names for this request: a mismatch, another's open transaction, or work or none. */
  const stand = (
    now: number,
    request: WorkRequest,
    scope: Scope | undefined,
  ): Mismatch | Running | Work | undefined => {
    const { work, owner } = look(now, request, true);
    const blocking = [work, owner].find((other) => other !== undefined && !isVisible(other, scope));
    if (blocking !== undefined) {
      // its transaction is open: what it will leave, if anything, is told after its commit
      return { is: "running", since: blocking.createdAt, retryAfterMs: unboundedRetryMs };
    }
    if (owner !== undefined && owner !== work) return { is: "mismatch", firstSeen: null };
    if (work === undefined) return undefined;
    if (!samePrint(work, request)) return { is: "mismatch", firstSeen: work.createdAt };
    if (request.key !== null && owner === undefined) bind(now, request, work, request.key, scope);
    return work;
  };

  const claim = (now: number, request: WorkRequest, lease: Lease | null, scope: Scope | undefined): Claim => {
    const attempt = lease?.attempt ?? newAttemptId();
    const found = stand(now, request, scope);
    if (found !== undefined && "is" in found) return found;
    if (found !== undefined) return stored(found, now, attempt) ?? take(now, request, lease, found, attempt, scope);
    const leaseUntil = now + (lease?.leaseMs ?? 0);
    const beginning = { id: newWorkId(), attempt, state: "running", leaseUntil, input: lease?.input ?? null } as const;
    const work = add(now, request, beginning, scope);
    return wonOf(work, { name: work.name, id: work.id, attempt }, false, []);
  };

  const accept = (now: number, request: AcceptRequest, scope: Scope | undefined): Acceptance => {
    const found = stand(now, request, scope);
    if (found !== undefined && "is" in found) return found;
    if (found === undefined) {
      const { id, input } = request;
      const beginning = { id, attempt: newAttemptId(), state: "open", leaseUntil: now, input } as const;
      const { createdAt } = add(now, request, beginning, scope);
      return { is: "accepted", id, since: createdAt, isNew: true };
    }
    const { id, createdAt: since, input, state } = found;
    if (state === "open" || state === "running") {
      if (input === null) return { is: "running", since, retryAfterMs: unboundedRetryMs };
      return { is: "accepted", id, since, isNew: id === request.id };
    }
    return stored(found, now, undefined) ?? { is: "running", since, retryAfterMs: unboundedRetryMs };
  };

  return {
    works: () => works.values(),
    get: (name) => works.get(name),
    byId: (id) => ids.get(id),
    remove,
    isOver,
    claim: (now, request) => claim(now, request, request, undefined),
    claimIn: (now, request, scope) => claim(now, request, null, scope),
    accept,
    find: (now, request) => {
      const { work, owner } = look(now, request, false);
      if (owner !== undefined && owner !== work && isVisible(owner, undefined)) {
        return { is: "mismatch", firstSeen: null };
      }
      if (work === undefined || !isVisible(work, undefined)) return null;
      if (!samePrint(work, request)) return { is: "mismatch", firstSeen: work.createdAt };
      return stored(work, now, undefined) ?? { is: "open", since: work.createdAt, retryAfterMs: 0 };
    },
  };
}

function wonOf(work: Work, fence: Fence, tookOver: boolean, effects: readonly EffectRecord[]): Won {
  const { token, resumes, cancelled } = work;
  return { is: "won", fence, token, resumes, tookOver, cancelled, effects };
}

/** Until the transaction ends, the work is its own. */
function belongs(work: Work, scope: Scope, undo: () => void): void {
  scope.undo.push(undo);
  scope.commit.push(() => {
    work.openIn = null;
  });
}

/** The rows of an open transaction are its own. */
export function isVisible(work: Work, scope: Scope | undefined): boolean {
  return work.openIn === null || work.openIn === scope?.transaction;
}

function samePrint(work: Work, request: FindRequest): boolean {
  return work.print.hash === request.print.hash && work.print.version === request.print.version;
}

/** What is answered without running; `undefined`: the work can be taken. */
function stored(work: Work, now: number, attempt: AttemptId | undefined): Exclude<Claim, Won> | undefined {
  const since = work.createdAt;
  switch (work.state) {
    case "done":
      return { is: "done", outcome: work.outcome, at: work.endedAt ?? since };
    case "unknown":
      return { is: "unknown", effect: work.effect, since: work.endedAt ?? since };
    case "running": {
      if (work.openIn !== null) return { is: "running", since, retryAfterMs: unboundedRetryMs };
      if (work.attempt === attempt) return undefined;
      const leftMs = work.leaseUntil - now;
      if (leftMs > 0) return { is: "running", since, retryAfterMs: leftMs };
      return work.transactions.size > 0 ? { is: "running", since, retryAfterMs: unboundedRetryMs } : undefined;
    }
    case "open": {
      const leftMs = work.notBefore - now;
      return leftMs > 0 ? { is: "running", since, retryAfterMs: leftMs } : undefined;
    }
  }
}
