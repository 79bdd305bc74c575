import type { Data } from "./data.ts";
import { age, plural, sentence, whole } from "./format.ts";
import { deadLetterReasons, reasonWords } from "./letters.ts";
import type { Need } from "./needs.ts";
import { isOverdue, isQueue } from "./outboxes.ts";
import { link, type Route } from "./route.ts";

/** What of jobs needs a person: ticks that did not end well, loads that stopped, messages that wait or are set aside, pauses that nobody has ended. */
export function jobNeeds(
  { loads, schedules, consumers, decisions, metrics, live }: Data,
  route: Route,
): readonly Need[] {
  const now = live?.at ?? schedules?.at ?? loads?.at ?? 0;
  const ended = (schedules?.schedules ?? []).flatMap(({ name, owner, ticks }): readonly Need[] => {
    // what a later tick has made good needs nobody
    const last = ticks.findLast(({ startedAt }) => startedAt !== null);
    if (last === undefined || (last.is !== "failed" && last.is !== "unknown")) return [];
    const unknown = last.is === "unknown";
    return [
      {
        kind: unknown ? "unknown" : "failed",
        bad: true,
        href: link(route, "schedules", [name]),
        title: unknown ? `${name}: nobody knows whether its last tick happened` : `${name}: its last tick failed`,
        detail: `${sentence(last.why ?? "it did not end")} ${unknown ? "It is not repeated before somebody settles it." : "Running it by hand goes on from what is recorded."}`,
        owner: owner ?? "nobody",
        age: age(now - last.endedAt),
      },
    ];
  });
  const unfinished = (loads?.loads ?? []).flatMap(({ name, owner, newest }): readonly Need[] => {
    if (newest?.is !== "unfinished") return [];
    const { windows } = newest;
    return [
      {
        kind: "stopped",
        bad: false,
        href: link(route, "loads", [name]),
        title: `${name} stopped at ${whole(windows.done)} of ${whole(windows.of)} ${plural(windows.of, "window")}`,
        detail: "Nobody is at it. What was committed stays, and the next call goes on from there.",
        owner: owner ?? "nobody",
        age: age(now - (windows.lastAt ?? newest.startedAt)),
      },
    ];
  });
  const refused = (loads?.loads ?? []).flatMap(({ name, owner, refusal }): readonly Need[] => {
    const [first, ...others] = refusal?.because ?? [];
    if (refusal === null || first === undefined) return [];
    return [
      {
        kind: "refused",
        bad: true,
        href: link(route, "loads", [name]),
        title: `${name}: its last run was refused, and wrote nothing`,
        detail: `${sentence(first.why)}${others.length === 0 ? "" : ` And ${whole(others.length)} ${plural(others.length, "reason")} more.`}`,
        owner: owner ?? "nobody",
        age: age(now - refusal.at),
      },
    ];
  });
  const tied = (loads?.loads ?? []).flatMap(({ name, owner, newest }): readonly Need[] => {
    const count = newest?.counts.tied ?? 0;
    if (newest === null || count === 0) return [];
    return [
      {
        kind: "tied",
        bad: false,
        href: link(route, "loads", [name]),
        title: `${name}: ${whole(count)} ${plural(count, "row has", "rows have")} the same version and other content`,
        detail: "The table's row stays, as declared. Which one is right, only the source's owner knows.",
        owner: owner ?? "nobody",
        age: age(now - newest.startedAt),
      },
    ];
  });
  const paused = (schedules?.schedules ?? []).flatMap(({ name, owner, paused: pause }): readonly Need[] => {
    if (pause === null) return [];
    return [
      {
        kind: "paused",
        bad: false,
        href: link(route, "schedules", [name]),
        title: `${name} is paused by ${pause.who}`,
        detail: `${sentence(pause.why)} No tick starts until somebody resumes it.`,
        owner: owner ?? "nobody",
        age: age(now - pause.at),
      },
    ];
  });
  const aside = (consumers?.consumers ?? []).flatMap(({ name, owner, setAside }): readonly Need[] => {
    if (setAside === null || setAside === 0) return [];
    const total = metrics?.consumers.find((one) => one.name === name)?.total;
    const reasons = deadLetterReasons
      .map((reason) => [reasonWords[reason], total?.[`set-aside-${reason}`] ?? 0] as const)
      .filter(([, count]) => count > 0)
      .map(([words, count]) => `${whole(count)} ${words}`);
    return [
      {
        kind: "set aside",
        bad: false,
        href: link(route, "messages", [name]),
        title: `${name}: ${whole(setAside)} ${plural(setAside, "message is", "messages are")} set aside`,
        detail: `${reasons.length === 0 ? "" : `In the range shown: ${reasons.join(", ")}. `}Nothing runs until somebody sends them again.`,
        owner: owner ?? "nobody",
        age: "",
      },
    ];
  });
  const outboxes = decisions?.decisions.filter(({ kind }) => kind === "outbox") ?? [];
  const waiting = outboxes.flatMap((outbox): readonly Need[] => {
    const counted = metrics?.outboxes.find((one) => one.name === outbox.name);
    const { waiting: messages = null, oldestAt = null, total } = counted ?? {};
    if (!isOverdue(outbox, oldestAt, now)) return [];
    const { name, owner } = outbox;
    const all = messages === null ? "" : ` ${whole(messages)} ${plural(messages, "waits", "wait")}.`;
    const failed = total?.failed ?? 0;
    const why = isQueue(outbox)
      ? "Its consumer is paused, is behind, or runs nowhere."
      : failed === 0
        ? "No instance that is seen sends them, or more is published than is sent."
        : `${whole(failed)} ${plural(failed, "attempt")} failed in the range shown: the broker refuses or is away. They stay in order and are sent once it takes them.`;
    return [
      {
        kind: "waits",
        bad: false,
        href: link(route, "messages"),
        title: `${name}: ${isQueue(outbox) ? "its oldest message has waited" : "its oldest message has not been sent"} for ${age(now - oldestAt)}`,
        detail: `${why}${all}`,
        owner: owner ?? "nobody",
        age: age(now - oldestAt),
      },
    ];
  });
  return [...ended, ...refused, ...unfinished, ...tied, ...waiting, ...aside, ...paused];
}
