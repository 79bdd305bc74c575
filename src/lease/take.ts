import type { Abortable } from "../base/abortable.ts";
import type { Clock } from "../base/clock.ts";
import { defaults } from "../base/defaults.ts";
import { RepriseError } from "../base/errors.ts";
import { insist } from "../base/insist.ts";
import { newAttemptId } from "../base/names.ts";
import { withDeadline } from "../base/promise.ts";
import type { Grip, Held, LeaseStore } from "../contract/lease.ts";
import { Lease } from "./lease.ts";

export interface LeaseAsked {
  readonly clock: Clock;
  readonly leases: LeaseStore<unknown>;
  /** As the store keeps it. */
  readonly name: string;
  readonly holder: string;
  /** For messages. */
  readonly operation: string;
  readonly leaseMs: number;
  readonly closing: Abortable;
}

/** A lease that is held, and renewed until it is given back. */
export interface Taken {
  readonly is: "acquired";
  readonly grip: Grip;
  readonly lease: Lease;
  /** Nobody waits long for it, and it fails nothing: what is not given back ends by itself. */
  readonly giveBack: () => Promise<void>;
}

/** Takes a lease, or says who has it. One round trip, and it waits for nobody. */
export async function takeLease(asked: LeaseAsked): Promise<Taken | Held> {
  const { clock, leases, name, holder, operation, leaseMs, closing } = asked;
  const attempt = newAttemptId();
  const sentAt = clock.monotonic();
  // an answer that comes when the lease would be over is none
  const late = () => new RepriseError("REPRISE_LEDGER_AWAY", { ledger: leases.name, doing: "acquire lease" });
  // repeated under the same attempt: where the first answer was lost, the second says that it was acquired
  const request = { name, holder, attempt, leaseMs };
  const answer = await insist(clock, () => withDeadline(clock, leaseMs, leases.acquire(request), late));
  if (answer.is === "held") return answer;

  const grip = { name, attempt, token: answer.token };
  const lease = new Lease({
    ...{ clock, operation, leaseMs, sentAt, closing },
    renew: async () => ((await leases.renew(grip, leaseMs)) ? "renewed" : "fenced"),
    cancelled: () => {},
  });
  const giveBack = async () => {
    lease.stop();
    try {
      await withDeadline(clock, defaults.lease.releaseMs, leases.release(grip), () => new Error("late"));
    } catch {
      // nobody is told
    }
  };
  return { is: "acquired", grip, lease, giveBack };
}
