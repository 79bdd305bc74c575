import { createInterface } from "node:readline/promises";
import { text } from "node:stream/consumers";
import pc from "picocolors";
import type { Choice } from "../admin/choices.ts";
import type { Decision } from "../admin/decision.ts";
import type { ShownRow } from "../admin/rows.ts";
import { defaults } from "../base/defaults.ts";
import type { RunState } from "../contract/ledger.ts";
import { type Apart, type Lost, withModule } from "./apart.ts";
import type { Answered, AskedOfOne } from "./importing.ts";
import { asJson, printable, refuse } from "./print.ts";
import { listLines, optionsOf, runLines, stateOf, twiceLines } from "./show-run.ts";

/** As the command line is parsed. */
export interface OperationsOptions {
  readonly service?: string;
  readonly json?: boolean;
  /** Milliseconds. */
  readonly deadline?: number;
}
export interface ListOptions extends OperationsOptions {
  readonly state?: RunState;
  readonly operation?: string;
  readonly limit?: number;
}
export interface DecideOptions extends OperationsOptions {
  readonly who?: string;
  readonly why: string;
  readonly yes?: boolean;
}
export interface AnswerOptions extends DecideOptions {
  readonly effect: string;
  readonly value?: string;
  readonly neverHappened?: boolean;
}
export interface SettleOptions extends DecideOptions {
  readonly value?: string;
  readonly refusal?: string;
}

/** Each prints, and answers the exit code: 0 done; 1 it is not so, or not done; 2 what was given cannot be used. */

export function runList(module: string, options: ListOptions): Promise<number> {
  return withInstance(module, options, async (ask) => {
    const { state, operation, limit, json } = options;
    const answer = await ask({ verb: "list", query: { state, operation, ...(limit === undefined ? {} : { limit }) } });
    if (answer.is !== "listed") return failed(answer, options);
    process.stdout.write(json === true ? asJson({ runs: answer.runs }) : `${listLines(answer.runs).join("\n")}\n`);
    return 0;
  });
}

export function runTwice(module: string, options: ListOptions): Promise<number> {
  return withInstance(module, options, async (ask) => {
    const { operation, limit, json } = options;
    const answer = await ask({ verb: "twice", operation, limit });
    if (answer.is !== "twice") return failed(answer, options);
    process.stdout.write(json === true ? asJson({ twice: answer.twice }) : `${twiceLines(answer.twice).join("\n")}\n`);
    return 0;
  });
}

export function runShow(module: string, id: string, options: OperationsOptions): Promise<number> {
  return withInstance(module, options, async (ask) => {
    const answer = await ask({ verb: "show", id });
    return answer.is === "shown" ? told(answer.shown, options) : failed(answer, options);
  });
}

export async function runAnswer(module: string, id: string, options: AnswerOptions): Promise<number> {
  const { effect, value, neverHappened } = options;
  if (neverHappened === true) return runDecide(module, id, { does: "answer", effect, with: "never-happened" }, options);
  if (value === undefined) return refuse("Say what became of it: --value and its answer as JSON, or --never-happened.");
  const given = await parseValue(value);
  if (given === undefined) return refuse(noJson);
  return runDecide(module, id, { does: "answer", effect, with: "value", ...given }, options);
}

export async function runSettle(module: string, id: string, options: SettleOptions): Promise<number> {
  const { value, refusal } = options;
  if (refusal !== undefined) return runDecide(module, id, { does: "settle", with: "refusal", refusal }, options);
  if (value === undefined) return refuse("Say how it ended: --value and its outcome as JSON, or --refusal and a code.");
  const given = await parseValue(value);
  if (given === undefined) return refuse(noJson);
  return runDecide(module, id, { does: "settle", with: "value", ...given }, options);
}

/** Shows the work and says what the decision will do, asks, and carries it out. */
export async function runDecide(
  module: string,
  id: string,
  decision: Decision,
  options: DecideOptions,
): Promise<number> {
  const { who = "", why } = options;
  if (who.trim() === "") return refuse("Nobody knows who decides. Say it: --who NAME.");
  if (why.trim() === "") return refuse("Say why: --why TEXT. It is kept with the work.");
  return withInstance(module, options, async (ask) => {
    const before = await ask({ verb: "show", id });
    if (before.is !== "shown") return failed(before, options);
    const choice = choiceFor(before.shown, decision);
    if (choice === undefined) return notSo(unfit(before.shown, decision));
    process.stderr.write(announcement(before.shown, choice, { who, why }));
    if (options.yes !== true) {
      if (process.stdin.isTTY !== true) return refuse("Nobody can be asked here, so nothing was changed. Say --yes.");
      if (!(await confirmed())) return notSo("Nothing was changed.");
    }
    const after = await ask({ verb: "decide", id, decision, note: { who, why } });
    return after.is === "shown" ? told(after.shown, options) : failed(after, options, "deciding");
  });
}

export type Ask = (asked: WithoutPlace<AskedOfOne>) => Promise<Answered | Lost>;
type WithoutPlace<A> = A extends unknown ? Omit<A, "place"> : never;

/** The module's instance, its ledger opened by what is asked first and closed at the end. */
export async function withInstance(
  module: string,
  { service, deadline = defaults.cli.importMs }: OperationsOptions,
  work: (ask: Ask) => Promise<number>,
): Promise<number> {
  const code = await withModule(module, deadline, async (apart): Promise<number | string> => {
    const place = placeOf(apart, service);
    if (typeof place === "string") return place;
    const ask: Ask = (asked) => apart.ask({ ...asked, place });
    const done = await work(ask);
    await ask({ verb: "close" });
    return done;
  });
  return typeof code === "string" ? refuse(code) : code;
}

export function placeOf({ services }: Pick<Apart, "services">, wanted: string | undefined): number | string {
  const places = services.flatMap(({ service }, place) => (wanted === undefined || service === wanted ? [place] : []));
  const [place, another] = places;
  const names = services.map(({ service }) => service).join(", ");
  if (place === undefined) return `The module exports no instance of '${wanted}'. There is: ${names}.`;
  return another === undefined ? place : `The module exports several instances: ${names}. Say which with --service.`;
}

function told(shown: ShownRow, { json }: OperationsOptions): 0 {
  process.stdout.write(json === true ? asJson(shown) : `${runLines(shown).join("\n")}\n`);
  return 0;
}

export function failed(answer: Answered | Lost, { deadline }: OperationsOptions, doing?: "deciding"): 1 {
  const perhaps =
    doing === undefined ? "" : " The decision may have been carried out all the same: show the work again.";
  switch (answer.is) {
    case "refused":
      return notSo(answer.why);
    case "late":
      return notSo(`The ledger gave no answer in ${(deadline ?? defaults.cli.importMs) / 1_000} s.${perhaps}`);
    case "ended":
      return notSo(`The module ended its process (${answer.how}) before the ledger answered.${perhaps}`);
    default:
      return notSo(`The module's process answered something else.${perhaps}`);
  }
}

export function notSo(why: string): 1 {
  refuse(why);
  return 1;
}

function choiceFor({ choices }: ShownRow, decision: Decision): Choice | undefined {
  const effect = "effect" in decision ? decision.effect : undefined;
  const given = "with" in decision ? decision.with : undefined;
  return choices.find((one) => one.does === decision.does && one.effect === effect && one.with === given);
}

function unfit(shown: ShownRow, decision: Decision): string {
  const { choices, run } = shown;
  const refusal = "with" in decision && decision.with === "refusal";
  const alike = choices.filter(({ does }) => does === decision.does);
  if (alike.length > 0) {
    const why = refusal ? "its operation declares no refusal" : "no such effect waits for an answer";
    return `Nothing was changed: ${why}. There is: ${alike.map(optionsOf).join("; ")}.`;
  }
  const instead =
    choices.length === 0 ? "There is nothing to decide." : `There is: ${choices.map(optionsOf).join("; ")}.`;
  return `The work is ${run.state}, and '${decision.does}' is not for that, so nothing was changed. ${instead}`;
}

function announcement(
  { run }: ShownRow,
  { does, says, risks }: Choice,
  { who, why }: { who: string; why: string },
): string {
  return [
    `${pc.bold(printable(`${run.operation} / ${run.identity}`))}  ${stateOf(run)}${run.why === null ? "" : `: ${printable(run.why)}`}`,
    `${pc.bold(does)}: ${printable(says)}`,
    ...(risks === undefined ? [] : [`${pc.yellow("If you are wrong:")} ${printable(risks)}`]),
    `Kept with the work: ${printable(who)}, ${printable(why)}`,
    "",
  ].join("\n");
}

/** Whether a person says so; where nobody can be asked, nobody does. */
export async function confirmed(): Promise<boolean> {
  const asking = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(es)?$/i.test((await asking.question("Go on? [y/N] ")).trim());
  } catch {
    // the input has ended: nobody said yes
    return false;
  } finally {
    asking.close();
  }
}

// the parser's own words would repeat a part of the value
const noJson = "The value is no JSON. Write it as JSON: '{\"id\":\"ch_1\"}', '\"text\"', 'null'.";

async function parseValue(given: string): Promise<{ readonly value: unknown } | undefined> {
  try {
    return { value: JSON.parse(given === "-" ? await text(process.stdin) : given) as unknown };
  } catch {
    return undefined;
  }
}
