import { defaults } from "../base/defaults.ts";
import { type Duration, milliseconds } from "../base/duration.ts";
import { RepriseError } from "../base/errors.ts";
import type { Name, WorkId } from "../base/names.ts";
import { pause, untilAborted } from "../base/promise.ts";
import { describeIssue } from "../base/schema.ts";
import { UnderWay } from "../base/under-way.ts";
import type { Ledger } from "../contract/ledger.ts";
import { accept, acceptIn } from "./background.ts";
import type { OperationCounters } from "./counters.ts";
import { executeConverging, executeDatabase, executeJoined } from "./database.ts";
import type { Execution } from "./execution.ts";
import { executeExternal } from "./external.ts";
import { DatabaseFlights, namesOf } from "./flights.ts";
import type { Host } from "./host.ts";
import type { Kept, Settlement } from "./record.ts";
import type { Settings } from "./settings.ts";
import { type Answers, answersOf, executeConvergingTogether, executeTogether } from "./together.ts";
import { type Told, told } from "./told.ts";
import { noticeTwice } from "./twice.ts";
import { type Naming, nameWork, type Work } from "./work.ts";

/** What a caller, a transport or a completer says beside the input. */
export interface Asking extends Naming {
  readonly signal?: AbortSignal | undefined;
  readonly wait?: Duration | undefined;
  readonly render?: ((settlement: Settlement) => string) | undefined;
}

/** What is executed together with others. */
export interface Request {
  readonly input: unknown;
  readonly asking: Asking;
}

/** The first pause before a waiting caller asks again; it doubles up to a second. */
const firstPollMs = 25;
const longestPollMs = 1_000;

/** Runs the work of one operation and counts how it ended. */
export class Executor {
  readonly settings: Settings;
  readonly counters: OperationCounters;
  readonly #host: Host;
  readonly #flights = new DatabaseFlights();
  readonly #owned: Execution["owned"] = new UnderWay();
  readonly #attempts = new UnderWay<Promise<unknown>>();

  constructor(host: Host, settings: Settings, counters: OperationCounters) {
    this.#host = host;
    this.settings = settings;
    this.counters = counters;
  }

  execute(input: unknown, asking: Asking): Promise<Told> {
    // the work goes on without this caller: its completion depends on nobody being there
    return untilAborted(
      this.#counted(async () => {
        asking.signal?.throwIfAborted();
        const given = await this.#validate(input);
        if (this.settings.again === "converges") {
          const ledger = await this.#host.ledger();
          const render = (settlement: Settlement) => asking.render?.(settlement) ?? null;
          const { settings } = this;
          return this.#track(executeConverging({ host: this.#host, settings, ledger, render }, given));
        }
        return this.#attemptUntil(nameWork(this.#host, this.settings, given, asking), asking);
      }, asking.signal),
      asking.signal,
    );
  }

  /**
   * Several at once, in one transaction. Where that fails, and where somebody is at one already, each is executed by itself.
   * An answer for each, in their order.
   */
  async executeTogether(requests: readonly Request[]): Promise<readonly PromiseSettledResult<Told>[]> {
    const answers = await this.#track(this.#together(requests));
    return Promise.allSettled(
      requests.map((request) => {
        const answer = answers.get(request);
        return answer === undefined ? this.execute(request.input, request.asking) : this.#counted(answer);
      }),
    );
  }

  /**
   * Goes on with work that nobody is at. `input` is as the schema returned it. Rejects, before anything happens, where the
   * declaration does not name this work any more.
   */
  resume(name: Name, { input, ...naming }: Kept): Promise<Told> {
    const work = nameWork(this.#host, this.settings, input, naming);
    if (work.name !== name) {
      const where = `operation '${this.settings.name}'`;
      const mend = "Keep identity and principal as they were for as long as their work may be resumed.";
      throw new RepriseError("REPRISE_BAD_DECLARATION", { where, why: "its input names other work now.", mend });
    }
    return this.#counted(() => this.#attempt(work, undefined, true));
  }

  async executeIn(tx: unknown, input: unknown, key: string | undefined): Promise<Told> {
    return this.#counted(async () => {
      const work = nameWork(this.#host, this.settings, await this.#validate(input), { key });
      // whoever holds a transaction may hold the very connection that the ledger waits for to open
      const ledger = await this.#host.ledger(defaults.ledger.joinMs);
      if (this.settings.declaration.dispatch !== undefined) return acceptIn(ledger, tx, work, this.#patience());
      return executeJoined(this.#executionOf(work, ledger, undefined, false), tx);
    });
  }

  async find(input: unknown, key: string | undefined): Promise<Told | null> {
    const given = await this.#validate(input);
    if (this.settings.again === "converges") return null;
    const work = nameWork(this.#host, this.settings, given, { key });
    const found = await (await this.#host.ledger()).find(work);
    return found === null ? null : told(found, this.#patience());
  }

  /** Says that whoever is at the work in this process is to end it. */
  cancel(id: WorkId): void {
    // one that lost its lease may still be there beside another attempt of this process
    for (const attempt of this.#owned) if (attempt.id === id) attempt.cancel();
  }

  /** Resolves when no attempt is under way; its callers may have left long ago. */
  async drain(): Promise<void> {
    while (this.#attempts.size > 0) await Promise.allSettled(this.#attempts);
  }

  async #attemptUntil(work: Work, asking: Asking): Promise<Told> {
    const clock = this.#host.clock();
    const { wait, render } = asking;
    const until =
      wait === undefined ? 0 : clock.monotonic() + milliseconds(wait, `operation '${this.settings.name}', wait`);
    for (let pollMs = firstPollMs; ; pollMs = Math.min(pollMs * 2, longestPollMs)) {
      const answer = await this.#attempt(work, render, false);
      const left = until - clock.monotonic();
      if (!isUnsettled(answer) || left <= 0) return answer;
      await pause(clock, Math.min(pollMs, left), asking.signal);
    }
  }

  async #together(requests: readonly Request[]): Promise<Answers<Request>> {
    const { settings } = this;
    const host = this.#host;
    const ledger = await host.ledger();
    const beganAt = host.clock().monotonic();
    if (settings.again === "converges") {
      const inputs = new Map<Request, unknown>();
      for (const request of requests) {
        const given = await this.#validate(request.input).then(
          (input) => ({ input }),
          () => null,
        );
        if (given !== null) inputs.set(request, given.input);
      }
      const all = { host, settings, ledger };
      return answersOf([...inputs.keys()], () => executeConvergingTogether(all, [...inputs.values()]));
    }
    const executions = new Map<Request, Execution>();
    const names = new Set<Name>();
    for (const request of requests) {
      // what is amiss with it, it is told when it is executed by itself; the second of two copies is answered after the first
      const work = await this.#validate(request.input)
        .then((given) => nameWork(host, settings, given, request.asking))
        .catch(() => null);
      if (work === null || namesOf(work).some((name) => names.has(name)) || !this.#flights.isFree(work)) continue;
      for (const name of namesOf(work)) names.add(name);
      executions.set(request, this.#executionOf(work, ledger, request.asking.render, false));
    }
    const all = [...executions.values()];
    return answersOf([...executions.keys()], async () => {
      const works = all.map(({ work }) => work);
      const told = await this.#flights.flyTogether(works, host.clock().now(), (begun) =>
        executeTogether(ledger, all, begun),
      );
      for (const [place, execution] of all.entries()) this.#observe(execution, told[place] as Told, beganAt);
      return told;
    });
  }

  #attempt(work: Work, render: Asking["render"], resumed: boolean): Promise<Told> {
    return this.#track(this.#perform(work, render, resumed));
  }

  async #track<T>(attempt: Promise<T>): Promise<T> {
    const leave = this.#attempts.add(attempt);
    try {
      return await attempt;
    } finally {
      leave();
    }
  }

  async #perform(work: Work, render: Asking["render"], resumed: boolean): Promise<Told> {
    const { settings } = this;
    const host = this.#host;
    const execution = this.#executionOf(work, await host.ledger(), render, resumed);
    const beganAt = host.clock().monotonic();
    let answer: Told;
    if (settings.declaration.dispatch !== undefined && !resumed) answer = await accept(execution, this.#patience());
    else if (settings.declaration.effects === "external") answer = await executeExternal(execution);
    else {
      answer = await this.#flights.fly(work, host.clock().now(), (begun) => executeDatabase(execution, begun));
    }
    this.#observe(execution, answer, beganAt);
    return answer;
  }

  #observe(execution: Execution, { outcome }: Told, beganAt: number): void {
    if (outcome.status !== "done" && outcome.status !== "refused") return;
    const { work } = execution;
    // a replay may be all that this process hears of a commit that another one made
    if (outcome.replayed) this.#host.committed(this.settings.name, work.input);
    else {
      this.counters.duration.observe(this.#host.clock().monotonic() - beganAt);
      // nobody waits for it, and closing does
      if (outcome.status === "done" && work.intent !== null) void this.#track(noticeTwice(execution));
    }
  }

  #executionOf(work: Work, ledger: Ledger<unknown>, render: Asking["render"], resumed: boolean): Execution {
    const { settings, counters } = this;
    return {
      host: this.#host,
      settings,
      counters,
      ledger,
      work,
      render: (settlement) => render?.(settlement) ?? null,
      resumed,
      owned: this.#owned,
    };
  }

  #patience() {
    return { now: this.#host.clock().now(), leaseMs: this.settings.leaseMs };
  }

  async #validate(input: unknown): Promise<unknown> {
    const result = await this.settings.declaration.input["~standard"].validate(input);
    if (result.issues === undefined) return result.value;
    const issues = result.issues.map(describeIssue);
    throw new RepriseError("REPRISE_INPUT_INVALID", { operation: this.settings.name, issues });
  }

  /** A caller that left is no failure of the work. */
  async #counted(execute: () => Promise<Told>, signal?: AbortSignal): Promise<Told> {
    const { counters } = this;
    counters.underWay += 1;
    try {
      const answer = await execute();
      const { outcome } = answer;
      if (outcome.status === "done") counters[outcome.replayed ? "replayed" : "ran"] += 1;
      else if (outcome.status === "refused") counters[outcome.replayed ? "replayed" : "refused"] += 1;
      else counters[outcome.status] += 1;
      return answer;
    } catch (error) {
      if (signal?.aborted !== true) counters.failed += 1;
      throw error;
    } finally {
      counters.underWay -= 1;
    }
  }
}

/** Whether whoever waits asks again. */
function isUnsettled({ outcome }: Told): boolean {
  return outcome.status === "running" || outcome.status === "accepted";
}
