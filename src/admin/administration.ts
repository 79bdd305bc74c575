import { RepriseError } from "../base/errors.ts";
import type { WorkId } from "../base/names.ts";
import type { Intervention, Ledger, Note, RecentQuery, RunHistory, RunSummary } from "../contract/ledger.ts";
import { checkNote } from "../contract/note.ts";
import type { Inside } from "../observe/inside.ts";
import { type Answer, encodeAnswer, encodeOutcome, type Settlement } from "../operation/record.ts";
import { type Settings, settingsOf } from "../operation/settings.ts";
import { type Choice, choicesOf } from "./choices.ts";
import { administerConsumers, type ConsumerAdministration } from "./consumers.ts";
import { administerLoads, type LoadAdministration } from "./loads.ts";
import { administerOutboxes, type OutboxAdministration } from "./outboxes.ts";
import { administerSchedules, type ScheduleAdministration } from "./schedules.ts";
import { listTwice, type SucceededTwice, type TwiceOptions } from "./twice.ts";

/** How work ends that a person settles: with a value, or with one of the operation's declared refusals. */
export type Ending =
  | { readonly value: unknown }
  /** `detail` as the run would have refused with. */
  | { readonly refusal: string; readonly detail?: unknown };

/** What became of a started effect: its answer, or nothing at all. */
export type Knowledge = { readonly value: unknown } | "never-happened";

/** A run with what a person may decide about it now. */
export interface Shown extends RunHistory {
  readonly choices: readonly Choice[];
}

/**
 * Looking at recorded work, and deciding about it: one set of verbs for programs, the command line and the page. The same
 * for loads, schedules, consumers and outboxes, by their names.
 *
 * Every decision is carried out in one step of the ledger if the work is still in the state it is for, and is kept with who
 * made it and why. Each returns the run as it stands after it. It opens the ledger and begins no background work: whoever only
 * looks and decides resumes, parks and sweeps nothing.
 */
export interface Administration {
  /** Newest first, at most `limit` (50 unless given); never counts the ledger. */
  readonly list: (query?: Partial<RecentQuery>) => Promise<readonly RunSummary[]>;
  /**
   * Second successes, newest first, at most `limit` (50 unless given): works of an operation that declares `sameIntent` which
   * succeeded within its time of another one with the same intent. Among its newest works only; `reprise audit
   * --success-twice` reads all.
   *
   * @throws REPRISE_BAD_DECLARATION for an operation that is not declared here, or declares no `sameIntent`
   */
  readonly twice: (options?: TwiceOptions) => Promise<readonly SucceededTwice[]>;
  /** @throws REPRISE_NO_SUCH_WORK */
  readonly show: (id: string) => Promise<Shown>;
  /**
   * Parked work is done with this outcome, which everybody who asks is told for the operation's retention from now. Nothing
   * is run.
   *
   * @throws REPRISE_NO_SUCH_WORK, REPRISE_ILLEGAL_TRANSITION, REPRISE_BAD_DECLARATION for an operation or a refusal that is
   *   not declared here, REPRISE_NOT_STORABLE, REPRISE_OUTCOME_TOO_LARGE
   */
  readonly settle: (id: string, ending: Ending, note: Note) => Promise<Shown>;
  /**
   * Says what became of an effect of parked work whose answer was lost. Once no answer is missing, the work is open and
   * goes on from there: by itself if it keeps its input, else with its caller's next attempt.
   *
   * @throws REPRISE_NO_SUCH_WORK, REPRISE_ILLEGAL_TRANSITION, REPRISE_NOT_STORABLE
   */
  readonly answer: (id: string, effect: string, known: Knowledge, note: Note) => Promise<Shown>;
  /**
   * Parked work is open again and goes on from what is recorded: pinned answers are not asked for again, an effect without
   * an answer is dealt with as it is declared. By itself if it keeps its input, else with its caller's next attempt.
   *
   * @throws REPRISE_NO_SUCH_WORK, REPRISE_ILLEGAL_TRANSITION
   */
  readonly rerun: (id: string, note: Note) => Promise<Shown>;
  /**
   * Takes running work from an owner that is known to be gone, before its lease ends by itself. An owner that lives after
   * all writes nothing more.
   *
   * @throws REPRISE_NO_SUCH_WORK, REPRISE_ILLEGAL_TRANSITION
   */
  readonly release: (id: string, note: Note) => Promise<Shown>;
  /**
   * Background work is no longer wanted: one that waits does not run, one that runs is told. It ends as refused with
   * `cancelled`, or waits for a person where something of it has happened.
   *
   * @throws REPRISE_NO_SUCH_WORK, REPRISE_ILLEGAL_TRANSITION
   */
  readonly cancel: (id: string, note: Note) => Promise<Shown>;
  readonly loads: LoadAdministration;
  readonly schedules: ScheduleAdministration;
  readonly consumers: ConsumerAdministration;
  readonly outboxes: OutboxAdministration;
}

const listed = 50;

/**
 * @example
 * const administration = administer(reprise);
 * for (const run of await administration.list({ state: "unknown" })) console.log(run.id, run.operation, run.why);
 * await administration.settle(id, { value: { charge: "ch_1" } }, { who: "ann", why: "seen in the gateway's records" });
 */
export function administer(reprise: { readonly "~inside": Inside }): Administration {
  const inside = reprise["~inside"];

  const opened = async (): Promise<Ledger<unknown>> => {
    const ledger = await inside.connected();
    if (ledger === undefined) throw new RepriseError("REPRISE_NO_LEDGER", { name: inside.service });
    return ledger;
  };
  const find = async (ledger: Ledger<unknown>, id: string): Promise<Shown> => {
    const history = await ledger.history(id as WorkId);
    if (history === null) throw new RepriseError("REPRISE_NO_SUCH_WORK", { id });
    return { ...history, choices: choicesOf(history, declarationOf(history.run.operation)) };
  };
  const declarationOf = (operation: string) => inside.operations().find(({ name }) => name === operation)?.declaration;
  const settingsFor = (operation: string): Settings => {
    const declared = declarationOf(operation);
    if (declared !== undefined) return settingsOf(declared);
    throw new RepriseError("REPRISE_BAD_DECLARATION", {
      where: `operation '${operation}'`,
      why: "it is not declared in this process, so nobody knows what its outcomes look like.",
      mend: "Settle its work where it is declared.",
    });
  };
  const decide = async (
    id: string,
    { who, why }: Note,
    intervention: (shown: Shown) => Intervention,
  ): Promise<Shown> => {
    checkNote({ who, why });
    const ledger = await opened();
    const shown = await find(ledger, id);
    const decided = intervention(shown);
    if (!(await ledger.intervene(shown.run.id, decided, { who, why }))) {
      const { run } = await find(ledger, id);
      throw new RepriseError("REPRISE_ILLEGAL_TRANSITION", { does: decided.does, state: run.state });
    }
    return find(ledger, id);
  };

  return {
    list: async ({ limit = listed, ...query } = {}) => (await opened()).recent({ ...query, limit }),
    twice: async (options = {}) => listTwice(inside, await opened(), options),
    show: async (id) => find(await opened(), id),
    settle: (id, ending, note) =>
      decide(id, note, ({ run }) => {
        const settings = settingsFor(run.operation);
        const settlement = settlementOf(settings, ending);
        const outcome = encodeOutcome(settings, settlement, null);
        return { does: "settle", outcome, refused: settlement.status === "refused", keepMs: settings.retentionMs };
      }),
    answer: (id, effect, known, note) =>
      decide(id, note, () => {
        if (known === "never-happened") return { does: "forget", effect };
        const answer: Answer = { is: "value", value: known.value };
        return { does: "answer", effect, answer: encodeAnswer(answer, `the answer of '${effect}'`) };
      }),
    rerun: (id, note) => decide(id, note, () => ({ does: "reopen" })),
    cancel: (id, note) => decide(id, note, () => ({ does: "cancel" })),
    release: (id, note) => decide(id, note, ({ run }) => ({ does: "release", token: run.token })),
    loads: administerLoads(inside),
    schedules: administerSchedules(inside),
    consumers: administerConsumers(inside),
    outboxes: administerOutboxes(inside),
  };
}

function settlementOf({ name, declaration }: Settings, ending: Ending): Settlement {
  if ("value" in ending) return { status: "done", value: ending.value };
  const { refusal, detail } = ending;
  if (!Object.hasOwn(declaration.refusals ?? {}, refusal)) {
    throw new RepriseError("REPRISE_BAD_DECLARATION", {
      where: `operation '${name}'`,
      why: "it declares no such refusal.",
      mend: `Settle with one of: ${Object.keys(declaration.refusals ?? {}).join(", ") || "(none)"}.`,
    });
  }
  return { status: "refused", code: refusal, detail };
}
