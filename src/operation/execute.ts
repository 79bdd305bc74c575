import { defaults } from "../base/defaults.ts";
import { type Duration, milliseconds } from "../base/duration.ts";
import { RepriseError } from "../base/errors.ts";
import type { Name, WorkId } from "../base/names.ts";
import { untilAborted, withDeadline } from "../base/promise.ts";
import { describeIssue, pathOf } from "../base/schema.ts";
import { UnderWay } from "../base/under-way.ts";
import type { Ledger } from "../contract/ledger.ts";
import { accept, acceptIn } from "./background.ts";
import type { OperationCounters } from "./counters.ts";
import { executeConverging, executeDatabase, executeJoined } from "./database.ts";
import type { Execution } from "./execution.ts";
import { executeExternal } from "./external.ts";
import { DatabaseFlights, namesOf } from "./flights.ts";
import type { Host } from "./host.ts";
import { Looks } from "./looks.ts";
import type { Kept, Settlement } from "./record.ts";
import type { Settings } from "./settings.ts";
import type { Stay } from "./stay.ts";
import { type Answers, answersOf, executeConvergingTogether, executeTogether } from "./together.ts";
import { soonestMs, type Told, told } from "./told.ts";
import { noticeTwice } from "./twice.ts";
import { attemptUntil, attemptWhile } from "./wait.ts";
import { type Naming, nameWork, type Work } from "./work.ts";

/** What a caller, a transport or a completer says beside the input. */
export interface Asking extends Naming {
  readonly signal?: AbortSignal | undefined;
  readonly wait?: Duration | undefined;
  /** Instead of `wait`, where the platform ends this caller. */
  readonly stay?: Stay | undefined;
  readonly render?: ((settlement: Settlement) => string) | undefined;
}

/** Of one attempt at work. */
interface Attempting {
  /** By a completer, not by a caller. Default false. */
  readonly resumed?: boolean;
  /** Of its caller's stay, by the monotonic clock. */
  readonly endsAt?: number | null;
  readonly afterwards?: Stay["afterwards"];
}

/** What is executed together with others. */
export interface Request {
  readonly input: unknown;
  readonly asking: Asking;
}

/** Runs the work of one operation and counts how it ended. */
export class Executor {
  readonly settings: Settings;
  readonly counters: OperationCounters;
  readonly #host: Host;
  readonly #flights = new DatabaseFlights();
  readonly #looks = new Looks();
  readonly #owned: Execution["owned"] = new UnderWay();
  readonly #attempts = new UnderWay<Promise<unknown>>();

  constructor(host: Host, settings: Settings, counters: OperationCounters) {
    this.#host = host;
    this.settings = settings;
    this.counters = counters;
  }

  execute(input: unknown, asking: Asking): Promise<Told> {
    const { stay } = asking;
    const endsAt = stay === undefined ? null : this.#host.clock().monotonic() + stay.ms;
    let unheard: Work | null = null;
    // the work goes on without this caller: its completion depends on nobody being there
    const answer = untilAborted(
      this.#counted(async () => {
        asking.signal?.throwIfAborted();
        const given = await this.#validate(input);
        if (this.settings.again === "converges") {
          const ledger = await this.#host.ledger();
          const render = (settlement: Settlement) => asking.render?.(settlement) ?? null;
          const { settings } = this;
          return this.#track(executeConverging({ host: this.#host, settings, ledger, render }, given));
        }
        const work = nameWork(this.#host, this.settings, given, asking);
        unheard = work;
        return this.#wait(work, asking, endsAt, () => {
          unheard = null;
        });
      }, asking.signal),
      asking.signal,
    );
    if (stay === undefined) return answer;
    return withDeadline(this.#host.clock(), Math.max(0, stay.ms), answer, () => this.#late(unheard));
  }

  /**
   * Several at once, in one transaction. Where that fails, and where somebody is at one already, each is executed by itself.
   * An answer for each, in their order.
   */
  async executeTogether(
    requests: readonly Request[],
  ): Promise<{ readonly answers: readonly PromiseSettledResult<Told>[]; readonly isWhole: boolean }> {
    const { told, isWhole } = await this.#track(this.#together(requests));
    const answers = await Promise.allSettled(
      requests.map((request) => {
        const answer = told.get(request);
        return answer === undefined ? this.execute(request.input, request.asking) : this.#counted(answer);
      }),
    );
    return { answers, isWhole };
  }

  /**
   * Goes on with work that nobody is at. `input` is as the schema returned it. Rejects, before anything happens, where the
   * declaration does not name this work any more. `endsAt`: this process ends then, by the monotonic clock.
   */
  resume(name: Name, { input, ...naming }: Kept, endsAt: number | null = null): Promise<Told> {
    const work = nameWork(this.#host, this.settings, input, naming);
    if (work.name !== name) {
      const where = `operation '${this.settings.name}'`;
      const mend = "Keep identity and principal as they were for as long as their work may be resumed.";
      throw new RepriseError("REPRISE_BAD_DECLARATION", { where, why: "its input names other work now.", mend });
    }
    return this.#counted(() => this.#attempt(work, undefined, { resumed: true, endsAt }));
  }

  async executeIn(tx: unknown, input: unknown, key: string | undefined): Promise<Told> {
    return this.#counted(async () => {
      const work = nameWork(this.#host, this.settings, await this.#validate(input), { key });
      // whoever holds a transaction may hold the very connection that the ledger waits for to open
      const ledger = await this.#host.ledger(defaults.ledger.joinMs);
      if (this.settings.declaration.dispatch !== undefined) return acceptIn(ledger, tx, work, this.#patience());
      return executeJoined(this.#executionOf(work, ledger, undefined, false, null), tx);
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

  /** `heard` is called when the ledger has told how the work stands. */
  #wait(work: Work, { wait, stay, signal, render }: Asking, endsAt: number | null, heard: () => void): Promise<Told> {
    const clock = this.#host.clock();
    if (stay !== undefined) {
      const attempting = { endsAt, afterwards: stay.afterwards };
      const attempt = async () => {
        const answer = await this.#attempt(work, render, attempting);
        heard();
        return answer;
      };
      return attemptWhile(clock, stay, () => this.#endedHere(work), attempt);
    }
    const until =
      wait === undefined ? 0 : clock.monotonic() + milliseconds(wait, `operation '${this.settings.name}', wait`);
    return attemptUntil(clock, until, signal, () => this.#attempt(work, render));
  }

  /** Resolves when an attempt of this process at the same work has ended; `undefined`: none is at it. */
  #endedHere(work: Work): Promise<void> | undefined {
    for (const owned of this.#owned) if (owned.name === work.name) return owned.ended();
    return this.#flights.ended(work);
  }

  /** Whether an attempt of this process has begun the work. */
  #isAt(work: Work): boolean {
    for (const owned of this.#owned) if (owned.name === work.name) return true;
    return this.#flights.hasBegun(work);
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
      executions.set(request, this.#executionOf(work, ledger, request.asking.render, false, null));
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

  #attempt(work: Work, render: Asking["render"], attempting: Attempting = {}): Promise<Told> {
    return this.#track(this.#perform(work, render, attempting));
  }

  async #track<T>(attempt: Promise<T>): Promise<T> {
    const leave = this.#attempts.add(attempt);
    try {
      return await attempt;
    } finally {
      leave();
    }
  }

  async #perform(work: Work, render: Asking["render"], attempting: Attempting): Promise<Told> {
    const { settings } = this;
    const host = this.#host;
    const { resumed = false, endsAt = null, afterwards } = attempting;
    const execution = this.#executionOf(work, await host.ledger(), render, resumed, endsAt);
    const beganAt = host.clock().monotonic();
    // its caller has been told already, and nobody would hold the lease
    if (endsAt !== null && beganAt >= endsAt) throw this.#late(null);
    let answer: Told;
    if (settings.declaration.dispatch !== undefined && !resumed) answer = await accept(execution, this.#patience());
    else if (settings.declaration.effects === "external") answer = await executeExternal(execution);
    else {
      answer = await this.#flights.fly(work, host.clock().now(), (begun) => executeDatabase(execution, begun));
    }
    this.#observe(execution, answer, beganAt, afterwards);
    return answer;
  }

  #observe(execution: Execution, { outcome }: Told, beganAt: number, afterwards?: Stay["afterwards"]): void {
    if (outcome.status !== "done" && outcome.status !== "refused") return;
    const { work } = execution;
    // a replay may be all that this process hears of a commit that another one made
    if (outcome.replayed) this.#host.committed(this.settings.name, work.input);
    else {
      this.counters.duration.observe(this.#host.clock().monotonic() - beganAt);
      if (outcome.status === "done" && work.intent !== null) {
        // nobody waits for it, and closing does; a platform may stop the process as soon as its caller is answered
        const noticing = this.#track(noticeTwice(execution));
        afterwards?.(noticing);
      }
    }
  }

  #executionOf(
    work: Work,
    ledger: Ledger<unknown>,
    render: Asking["render"],
    resumed: boolean,
    endsAt: number | null,
  ): Execution {
    const { settings, counters } = this;
    return {
      host: this.#host,
      settings,
      counters,
      ledger,
      work,
      render: (settlement) => render?.(settlement) ?? null,
      resumed,
      looks: this.#looks,
      owned: this.#owned,
      endsAt,
    };
  }

  /** What a caller is told whose time is up. `unheard`: its work, where the ledger has not told how that stands. */
  #late(unheard: Work | null): RepriseError {
    if (unheard !== null && !this.#isAt(unheard)) {
      return new RepriseError("REPRISE_LEDGER_AWAY", {
        ledger: this.#host.ledgerName(),
        doing: "looking for the work",
      });
    }
    return new RepriseError("REPRISE_RUNNING", { operation: this.settings.name, retryAfterMs: soonestMs });
  }

  #patience() {
    return { now: this.#host.clock().now(), leaseMs: this.settings.leaseMs };
  }

  async #validate(input: unknown): Promise<unknown> {
    const result = await this.settings.declaration.input["~standard"].validate(input);
    if (result.issues === undefined) return result.value;
    const issues = result.issues.map(describeIssue);
    const paths = result.issues.map(pathOf);
    throw new RepriseError("REPRISE_INPUT_INVALID", { operation: this.settings.name, issues, paths });
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
