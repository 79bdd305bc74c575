import type { Clock } from "../../src/base/clock.ts";
import { onAbort } from "../../src/base/signals.ts";
import type { DeadLetter, DeadLetterReason, Delivery, Settlement, Source } from "../../src/contract/source.ts";

interface Kept {
  readonly body: string;
  readonly sentAt: number | null;
  deliveries: number;
  /** Not delivered before. */
  dueAt: number;
  /** Who has it: each delivery is another. */
  holder: symbol | null;
  lockedUntil: number;
}

export interface QueueOptions {
  readonly clock: Clock;
  readonly name?: string;
  readonly horizonMs?: number | null;
  readonly delays?: boolean;
  readonly lockMs?: number | null;
  /** It pushes to who receives, as much as that may have unsettled. */
  readonly pushes?: boolean;
  /**
   * Where what is delivered again comes in: at its old place, or ahead of what is new, behind all that was waiting to be
   * delivered again before it or ahead of that.
   */
  readonly redelivers?: "in-place" | "last" | "first";
}

/** A broker in this process, which delivers at least once and tells what became of everything. */
export function queue({
  clock,
  name = "queue seats",
  horizonMs = 3_600_000,
  delays = false,
  lockMs = null,
  pushes = false,
  redelivers = "in-place",
}: QueueOptions) {
  let kept: Kept[] = [];
  let connections: { broken: boolean; readonly holders: Set<symbol> }[] = [];
  const waiting = new Set<() => void>();
  const aside: { readonly body: string; readonly letter: DeadLetter }[] = [];
  let letters = 0;
  const settlements: Settlement["is"][] = [];
  let renewals = 0;
  let crashes = 0;
  let settles: (settlement: Settlement) => Promise<unknown> = async () => {};

  const arrive = () => {
    for (const wake of waiting) wake();
  };
  const enter = (body: string, sentAt: number | null) => {
    kept.push({ body, sentAt, deliveries: 0, dueAt: 0, holder: null, lockedUntil: 0 });
    arrive();
  };
  const enterAside = (body: string, sentAt: number | null, told: Pick<DeadLetter, "reason" | "why">) => {
    letters += 1;
    const letter = { id: String(letters), read: () => JSON.parse(body), sentAt, setAsideAt: clock.now(), ...told };
    aside.push({ body, letter });
  };
  const remove = (id: string) => {
    const at = aside.findIndex(({ letter }) => letter.id === id);
    return at < 0 ? undefined : aside.splice(at, 1)[0];
  };
  /** It is handed out again. */
  const free = (one: Kept) => {
    one.holder = null;
    // one whose lock is over is there already
    if (redelivers === "in-place" || one.lockedUntil <= clock.now()) return;
    const others = kept.filter((other) => other !== one);
    const isOld = ({ deliveries }: Kept) => redelivers === "last" && deliveries > 0;
    kept = [...others.filter(isOld), one, ...others.filter((other) => !isOld(other))];
  };
  const isFree = (one: Kept) => one.dueAt <= clock.now() && (one.holder === null || one.lockedUntil <= clock.now());

  const source: Source = {
    name,
    delays,
    horizon: async () => horizonMs,
    deadLetters: async () => ({
      list: async (most) => aside.slice(0, most).map(({ letter }) => letter),
      redrive: async ({ id }) => {
        const removed = remove(id);
        if (removed !== undefined) enter(removed.body, removed.letter.sentAt);
        return removed === undefined ? "gone" : "done";
      },
      discard: async ({ id }) => (remove(id) === undefined ? "gone" : "done"),
      close: async () => {},
    }),
    open: async (most) => {
      const connection = { broken: false, holders: new Set<symbol>() };
      connections.push(connection);
      const take = (one: Kept): Delivery => {
        const holder = Symbol("delivery");
        connection.holders.add(holder);
        one.holder = holder;
        one.lockedUntil = lockMs === null ? Number.POSITIVE_INFINITY : clock.now() + lockMs;
        one.deliveries += 1;
        const isMine = () => !connection.broken && one.holder === holder && one.lockedUntil > clock.now();
        return {
          read: () => JSON.parse(one.body),
          sentAt: one.sentAt,
          isRepeated: one.deliveries > 1,
          lockMs,
          renew:
            lockMs === null
              ? undefined
              : async () => {
                  renewals += 1;
                  if (!isMine()) return "lost";
                  one.lockedUntil = clock.now() + lockMs;
                  return "renewed";
                },
          settle: async (settlement) => {
            if ((await settles(settlement)) === "refused") return "refused";
            if (!isMine()) return "lost";
            settlements.push(settlement.is);
            connection.holders.delete(holder);
            free(one);
            if (settlement.is === "return") one.dueAt = clock.now() + (delays ? settlement.afterMs : 0);
            else kept = kept.filter((other) => other !== one);
            if (settlement.is === "dead-letter") {
              enterAside(one.body, one.sentAt, { reason: settlement.reason, why: settlement.why });
            }
            if (settlement.is === "return") clock.timer(one.dueAt - clock.now(), arrive);
            // there is room for another
            if (pushes) arrive();
            return "settled";
          },
        };
      };
      const find = (count: number) => kept.filter(isFree).slice(0, Math.max(0, count));
      let pushed: { readonly one: Kept; readonly delivery: Delivery }[] = [];
      let isStopped = false;
      const push = () => {
        if (!pushes || isStopped || connection.broken) return;
        for (const one of find(most - connection.holders.size)) pushed.push({ one, delivery: take(one) });
      };
      const stopPushing = async (first: Promise<unknown>) => {
        isStopped = true;
        await first;
        for (const { one } of pushed.splice(0)) {
          if (one.holder !== null) connection.holders.delete(one.holder);
          free(one);
        }
        arrive();
      };
      if (pushes) {
        waiting.add(push);
        push();
      }
      return {
        ...(pushes && { stop: stopPushing }),
        pull: async (asked, signal) => {
          for (;;) {
            // a lock that is over counts for nobody
            for (const one of kept) {
              if (one.holder !== null && one.lockedUntil <= clock.now()) connection.holders.delete(one.holder);
            }
            if (connection.broken) throw new Error("the connection is gone");
            if (signal.aborted) return [];
            if (pushed.length > 0) return pushed.splice(0, asked).map(({ delivery }) => delivery);
            const found = pushes ? [] : find(Math.min(asked, most - connection.holders.size));
            if (found.length > 0) return found.map(take);
            await new Promise<void>((resolve) => {
              const wake = () => {
                waiting.delete(wake);
                stop();
                resolve();
              };
              waiting.add(wake);
              const stop = onAbort(signal, wake);
              if (lockMs !== null) clock.timer(lockMs, wake);
            });
          }
        },
        close: async () => {
          connection.broken = true;
          pushed = [];
          waiting.delete(push);
          for (const one of [...kept]) if (one.holder !== null && connection.holders.has(one.holder)) free(one);
          connections = connections.filter((other) => other !== connection);
          arrive();
        },
      };
    },
  };

  return {
    source,
    get deadLetters(): readonly { readonly body: string; readonly reason: DeadLetterReason; readonly why: string }[] {
      return aside.flatMap(({ body, letter: { reason, why } }) =>
        reason === null || why === null ? [] : [{ body, reason, why }],
      );
    },
    sendAside: (body: string) => enterAside(body, clock.now(), { reason: null, why: null }),
    settlements,
    left: () => kept.length,
    renewals: () => renewals,
    crashes: () => crashes,
    send: (body: unknown, { sentAt = clock.now() }: { readonly sentAt?: number | null } = {}) => {
      const text = typeof body === "string" ? body : JSON.stringify(body);
      enter(text, sentAt);
    },
    /** Delivers once more what nobody has, as after a crash of whoever had it. */
    crash: () => {
      crashes += 1;
      for (const connection of connections) {
        connection.broken = true;
        for (const one of [...kept]) if (one.holder !== null && connection.holders.has(one.holder)) free(one);
      }
      connections = [];
      arrive();
    },
    /** Takes the lock of a message from who has it: it is delivered again. */
    takeBack: (body: unknown) => {
      for (const one of [...kept]) if (one.holder !== null && one.body === JSON.stringify(body)) free(one);
      arrive();
    },
    /** What happens before each settlement. */
    beforeSettling: (work: (settlement: Settlement) => Promise<unknown>) => {
      settles = work;
    },
  };
}
