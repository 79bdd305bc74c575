import type { Decided } from "../../src/decisions/decided.ts";
import type { Data } from "./data.ts";
import { age, plural, sentence, whole } from "./format.ts";
import { jobNeeds } from "./job-needs.ts";
import { link, type Route, type View } from "./route.ts";

export interface Need {
  readonly kind: string;
  readonly bad: boolean;
  readonly href: string;
  readonly title: string;
  readonly detail: string;
  readonly owner: string;
  readonly age: string;
  /** What else to look at. */
  readonly links?: readonly { readonly href: string; readonly text: string }[];
}

/** Why a completer set work aside: of what ended no attempt nobody asks whether it happened, but what is wrong with it. */
const cannotGoOn = /^(REPRISE_\w+|its input cannot be read|\d+ attempts ended without an answer)$/;

const costs = ["money", "trust", "noise", "nothing"];

/** Who must act, costliest first, then oldest: lost answers, answers that differ, successes that happened twice, then decisions that nobody took. */
export function needsOf(data: Data, route: Route): readonly Need[] {
  const { unknown: lost, twice, decisions, live, metrics } = data;
  const declared = decisions?.decisions ?? [];
  const costOf = (operation: string) => {
    const answer = declared.find(({ kind, name }) => kind === "operation" && name === operation)?.answers[
      "costIfTwice"
    ];
    return answer === undefined || answer.is === "undecided" ? undefined : answer.value;
  };
  const ownerOf = (operation: string) =>
    declared.find(({ kind, name }) => kind === "operation" && name === operation)?.owner ?? "nobody";
  const rank = (operation: string) => {
    const place = costs.indexOf(costOf(operation) ?? "");
    return place < 0 ? costs.length : place;
  };
  const now = live?.at ?? lost?.at ?? 0;
  const unknown = [...(lost?.runs ?? [])]
    .sort((a, b) => rank(a.operation) - rank(b.operation) || (a.endedAt ?? 0) - (b.endedAt ?? 0))
    .map((run): Need => {
      const cost = costOf(run.operation);
      const stalled = cannotGoOn.test(run.why ?? "");
      return {
        kind: stalled ? "parked" : "unknown",
        bad: true,
        href: link(route, "operations", [run.operation, run.id]),
        title: `${run.operation} ${run.identity}: ${stalled ? "it cannot go on by itself" : "nobody knows whether it happened"}`,
        detail: `${stalled ? "No attempt can end it" : cost === undefined ? "It is not repeated" : `If it ran twice it would cost ${cost}, so it is not repeated`}. ${sentence(run.why ?? "an effect's answer is lost")}`,
        owner: ownerOf(run.operation),
        age: age(now - (run.endedAt ?? run.createdAt)),
      };
    });
  const differing = (metrics?.operations ?? [])
    .map(({ name, total }) => ({ name, times: total["answeredTwice"] ?? 0 }))
    .filter(({ times }) => times > 0)
    .sort((a, b) => rank(a.name) - rank(b.name))
    .map(
      ({ name, times }): Need => ({
        kind: "contradicted",
        bad: true,
        href: link(route, "operations", [name]),
        title: `${name}: an effect was answered twice, and the answers differ`,
        detail: `${times === 1 ? "Once" : `${whole(times)} times`} in the range shown. The first answer was kept; the other side may have done it twice. Compare what it did with the runs.`,
        owner: ownerOf(name),
        age: "",
      }),
    );
  const pairs = twice?.twice ?? [];
  const second = [...new Set(pairs.map(({ operation }) => operation))]
    .sort((a, b) => rank(a) - rank(b))
    .flatMap((operation): readonly Need[] => {
      const [last, ...others] = pairs.filter((pair) => pair.operation === operation);
      if (last === undefined) return [];
      const times = (metrics?.operations ?? []).find(({ name }) => name === operation)?.total["successTwice"] ?? 0;
      const run = (id: string) => link(route, "operations", [operation, id]);
      return [
        {
          kind: "twice",
          bad: true,
          href: run(last.second.id),
          title: `${operation} succeeded twice: two for one intent, ${age(last.apartMs)} apart`,
          detail: `${others.length === 0 ? "Both stand" : `Both stand, and so do ${whole(others.length)} further ${plural(others.length, "pair")} among the newest runs`}. ${whole(times)} in the range shown. Find out which one was meant, and undo the other.`,
          links: [
            { href: run(last.first.id), text: `the first, ${last.first.identity}` },
            { href: run(last.second.id), text: `the second, ${last.second.identity}` },
          ],
          owner: ownerOf(operation),
          age: age(now - last.second.createdAt),
        },
      ];
    });
  const askedOf = (route: string) => {
    const requests = metrics?.routes.find((one) => one.name === route)?.requests ?? 0;
    return `${requests === 1 ? "One request" : `${whole(requests)} requests`} in the range shown.`;
  };
  const open = declared
    // who answers for a consumer is asked of its operation
    .filter(({ kind, undecided }) => undecided.length > 0 && kind !== "consumer")
    .map(
      ({ kind, name, owner, undecided }): Need => ({
        kind: "undecided",
        bad: false,
        href: link(route, viewOf[kind], kind === "route" ? [] : [name]),
        title: `${name}: nobody has decided ${undecided.join(", ")}`,
        detail: [
          ...(kind === "route" ? [askedOf(name)] : []),
          ...undecided.map((question) => consequences[question] ?? "It is left open."),
        ].join(" "),
        owner: owner ?? "nobody",
        age: "",
      }),
    );
  return [...unknown, ...differing, ...second, ...jobNeeds(data, route), ...open];
}

/** Where a declaration is seen. */
const viewOf: Readonly<Record<Decided["kind"], View>> = {
  cache: "caches",
  operation: "operations",
  load: "loads",
  schedule: "schedules",
  consumer: "messages",
  outbox: "messages",
  route: "decisions",
};

const consequences: Readonly<Record<string, string>> = {
  owner: "Nobody answers for it.",
  holds: "Whether it may be cached at all has not been looked at.",
  ifStale: "What a late answer costs is not known.",
  ifRunsAgain: "What a second run does is not written down.",
  costIfTwice: "Nobody knows how much care it deserves.",
  input: "Its input is not checked.",
};
