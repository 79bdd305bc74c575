import { RepriseError } from "../base/errors.ts";
import type { DeclaredConsumer } from "../consume/consumers.ts";
import type { ConsumeCounts } from "../consume/counters.ts";
import { checkChoice, type LetterChoice } from "../consume/letter-choice.ts";
import type { LetterCounts } from "../consume/set-aside.ts";
import type { DeadLetter, DeadLetterReason } from "../contract/source.ts";
import type { Inside } from "../observe/inside.ts";
import { find } from "./declared.ts";

export interface ShownConsumer {
  /** The source's. */
  readonly name: string;
  /** The operation's. */
  readonly owner: string | undefined;
  readonly operation: string;
  /** Messages that nobody was handed yet, as the broker tells; `null`: it does not, or does not answer. */
  readonly waiting: number | null;
  /** Dead letters, likewise. */
  readonly setAside: number | null;
  /** Whether its dead letters can be looked at. */
  readonly shows: boolean;
  /** Work of its operation that waits for a person, whoever brought it. */
  readonly parked: Parked;
  /** Of this process, since it started. */
  readonly counts: ConsumeCounts;
}

export interface Parked {
  readonly count: number;
  /** Whether there is more than was counted. */
  readonly more: boolean;
}

/** A dead letter without its content. */
export interface ShownLetter {
  readonly id: string;
  /** `null`: it was no consumer that set it aside. */
  readonly reason: DeadLetterReason | null;
  readonly why: string | null;
  readonly sentAt: Date | null;
  readonly setAsideAt: Date | null;
  /** Of its body; `null`: the source does not tell. */
  readonly bytes: number | null;
}

export interface ShownLetters {
  /** Those set aside first come first. */
  readonly letters: readonly ShownLetter[];
  /** Whether there are others still that were meant. */
  readonly more: boolean;
}

export type { LetterChoice } from "../consume/letter-choice.ts";
export type { LetterCounts } from "../consume/set-aside.ts";

/**
 * The consumers that are declared in this process, by the names of their sources. What they have set aside is looked at over
 * a connection of its own, whether they receive or not. A broker that cannot browse keeps from others what is looked at until
 * the look ends, and may count it as a delivery.
 *
 * @throws REPRISE_BAD_DECLARATION for a name that is not declared here, a source that shows no dead letters, or a choice
 *   that is none; REPRISE_SOURCE_AWAY, after which some of it may have happened
 */
export interface ConsumerAdministration {
  readonly list: () => Promise<readonly ShownConsumer[]>;
  readonly show: (name: string) => Promise<ShownConsumer>;
  /** At most `most` (50 unless given); never their content. */
  readonly deadLetters: (name: string, choice?: LetterChoice) => Promise<ShownLetters>;
  /** Sends them to their queue again, under their identity: what was done is not done twice. */
  readonly redrive: (name: string, choice?: LetterChoice) => Promise<LetterCounts>;
  /** Removes them for good. Nothing is removed that was not chosen by its id or its reason. */
  readonly discard: (name: string, choice: LetterChoice) => Promise<LetterCounts>;
}

const lettersShown = 50;
const parkedCounted = 50;

export function administerConsumers(inside: Inside): ConsumerAdministration {
  const consumerOf = async (name: string) => find("consumer", inside.consumers(), name);
  return {
    list: () => Promise.all(inside.consumers().map((consumer) => show(inside, consumer))),
    show: async (name) => show(inside, await consumerOf(name)),
    deadLetters: async (name, given = {}) => {
      const consumer = await consumerOf(name);
      checkChoice(name, given);
      const { most = lettersShown, ...choice } = given;
      const { letters, more } = await consumer.letters({ ...choice, most });
      return { letters: letters.map(withoutContent), more };
    },
    redrive: async (name, choice = {}) => (await consumerOf(name)).redriveLetters(choice),
    discard: async (name, choice) => {
      const consumer = await consumerOf(name);
      // whoever calls from JavaScript may leave it out
      if (choice?.ids === undefined && choice?.reason === undefined) {
        throw new RepriseError("REPRISE_BAD_DECLARATION", {
          where: `consumer of '${name}'`,
          why: "nothing says which dead letters are to be removed for good.",
          mend: "Choose them by 'ids' or by 'reason'.",
        });
      }
      return consumer.discardLetters(choice);
    },
  };
}

async function show(inside: Inside, consumer: DeclaredConsumer): Promise<ShownConsumer> {
  const { name, owner, declaration, settings, counters } = consumer;
  const { operation } = settings.contract;
  // of one that receives, the last answer: whoever looks again and again asks no broker for it
  const told = consumer.lastStanding() ?? (await consumer.standing().catch(() => null));
  return {
    ...{ name, owner, operation },
    ...{ waiting: told?.waiting ?? null, setAside: told?.setAside ?? null },
    shows: declaration.source.deadLetters !== undefined,
    parked: await parkedOf(inside, operation),
    counts: structuredClone(counters),
  };
}

async function parkedOf(inside: Inside, operation: string): Promise<Parked> {
  const ledger = await inside.connected();
  const found = (await ledger?.recent({ state: "unknown", operation, limit: parkedCounted + 1 })) ?? [];
  return { count: Math.min(found.length, parkedCounted), more: found.length > parkedCounted };
}

function withoutContent({ id, reason, why, sentAt, setAsideAt, bytes }: DeadLetter): ShownLetter {
  const date = (at: number | null) => (at === null ? null : new Date(at));
  return { id, reason, why, sentAt: date(sentAt), setAsideAt: date(setAsideAt), bytes: bytes ?? null };
}
