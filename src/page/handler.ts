import { isRepriseError } from "../base/errors.ts";
import type { MaybePromise } from "../base/promise.ts";
import type { Decided } from "../decisions/decided.ts";
import type { Inside } from "../observe/inside.ts";
import type { Range } from "../observe/metrics.ts";
import { isRange, metricsReader } from "../observe/read.ts";
import { actingOf } from "./acting.ts";
import { json, refused } from "./answers.ts";
import { assetsOf } from "./assets.ts";
import { decidingOf } from "./deciding.ts";
import { explainRead } from "./explain.ts";
import { reasonAgainst, reasonAgainstPlace } from "./guard.ts";
import type { Incident } from "./incident.ts";
import { jobsOf, jobsSeen } from "./jobs.ts";
import { feedOf } from "./live.ts";
import { questionsOf } from "./questions.ts";
import { replayOf } from "./replay.ts";
import { oneRun, recentRuns, succeededTwice } from "./runs.ts";
import type { DecisionsAnswer, IncidentsAnswer, JobKind, LiveMessage } from "./wire.ts";
import { workingSetOf } from "./working-set.ts";

/** What the page needs of a reprise. */
export interface Shown {
  readonly decisions: () => readonly Decided[];
  readonly "~inside": Inside;
}

export interface PageOptions {
  /** Where the page is mounted. Default `/reprise`. */
  readonly path?: string | undefined;
  /** What the page may start, from this machine only. Without any it starts nothing. */
  readonly incidents?: readonly Incident[] | undefined;
  /**
   * Whoever types it into the page may decide about recorded work, from this machine only: settle, answer, rerun, release, each
   * with who and why; may run loads and ticks, pause and resume; and may send dead
   * letters again and remove them. At least 32 characters that nobody can guess. Without one the page is read-only.
   */
  readonly token?: string | undefined;
}

export interface PageContext {
  /** The address of the connection, as the server saw it. Without it nothing can be started. */
  readonly remoteAddress?: string | undefined;
}

export type PageHandler = (request: Request, context?: PageContext) => Promise<Response>;

/**
 * The page, its figures and its files, on web requests: mount it under `path` and everything below. It shows names,
 * numbers and states, never a value, a body or a whole key, and changes nothing without `token`; who may see it is the
 * application's to decide. It listens until the reprise closes.
 *
 * @example
 * const page = pageHandler(reprise);
 * const response = await page(new Request("http://localhost/reprise"));
 * @throws REPRISE_BAD_DECLARATION for a token that could be guessed
 */
export function pageHandler(reprise: Shown, options: PageOptions = {}): PageHandler {
  const inside = reprise["~inside"];
  const base = `/${(options.path ?? "/reprise").replace(/^\/+|\/+$/g, "")}`;
  const incidents = options.incidents ?? [];
  const assets = assetsOf(base);
  const deciding = decidingOf(reprise, options.token);
  const acting = actingOf(reprise);
  const jobs = jobsOf(reprise, acting.asked);
  const replay = replayOf(incidents, inside.clock);
  const reader = metricsReader(inside);
  const feed = feedOf(inside.clock, async (): Promise<LiveMessage> => {
    return { ...(await reader.live()), pendingWrites: pendingWritesOf(inside), incident: replay.running() };
  });
  inside.closing.addEventListener("abort", () => {
    feed.stop();
    reader.stop();
  });

  const decisions = async (): Promise<DecisionsAnswer> => {
    const decided = reprise.decisions();
    const memory = inside.memory();
    const questions = questionsOf(decided, {
      metrics: await reader.read({ range: "1h" }),
      memory,
      curve: inside.curve(),
      jobs: await jobsSeen(jobs),
    });
    return { v: 1, service: inside.service, at: inside.clock().now(), decisions: decided, memory, questions };
  };
  const incidentsAnswer = async (request: Request, context: PageContext): Promise<IncidentsAnswer> => ({
    v: 1,
    running: replay.running(),
    startable: reasonAgainstPlace(request, context.remoteAddress) === undefined,
    incidents: await replay.list(),
  });

  const start = (name: string, request: Request, context: PageContext): Response => {
    const reason = reasonAgainst(request, context.remoteAddress);
    if (reason !== undefined) return refused(403, "forbidden", `Nothing was started. ${reason}`);
    const started = replay.start(name);
    if (started === "unknown") return notFound();
    if (started === "busy") {
      return refused(409, "busy", "An incident is being replayed. Start this one when it has ended.");
    }
    return json({ v: 1, running: replay.running() }, 202);
  };

  const get = async (path: string, url: URL, request: Request, context: PageContext): Promise<Response> => {
    if (path === "" || path === "/") return assets.shell(inside.service);
    if (path === "/live") return feed.listen();
    if (path === "/metrics.json") return json(await reader.read({ range: rangeOf(url) }));
    if (path === "/decisions.json") return json(await decisions());
    if (path === "/administration.json") return json(deciding.may(request, context.remoteAddress));
    if (path === "/incidents.json") return json(await incidentsAnswer(request, context));
    if (path === "/working-set.json") {
      const told = workingSetOf(inside, url.searchParams.get("cache") ?? undefined);
      return told === undefined ? notFound() : json(told);
    }
    if (path === "/explain.json") return explainRead(inside, url.searchParams);
    if (path === "/twice.json") return json(await succeededTwice(inside));
    if (path === "/runs.json") return json(await recentRuns(inside, url.searchParams));
    if (path === "/loads.json") return json(await jobs.loads());
    if (path === "/schedules.json") return json(await jobs.schedules());
    if (path === "/consumers.json") return json(await jobs.consumers());
    const job = jobIn(/^\/(load|schedule|consumer)s\/([^/]+)\.json$/.exec(path));
    if (job !== undefined) return jobAnswer(job, url.searchParams);
    const [, run] = /^\/runs\/([0-9a-f]{1,64})\.json$/.exec(path) ?? [];
    if (run !== undefined) {
      const found = await oneRun(inside, run);
      return found === undefined ? notFound() : json(found);
    }
    const [, file] = /^\/assets\/([\w.-]+)$/.exec(path) ?? [];
    return (file === undefined ? undefined : await assets.file(file)) ?? notFound();
  };

  const jobAnswer = async ({ kind, name }: Job, query = new URLSearchParams()): Promise<Response> => {
    const told = await {
      load: () => jobs.load(name, query.get("run")),
      schedule: () => jobs.schedule(name),
      consumer: () => jobs.consumer(name, query.has("look")),
    }[kind]();
    return told === undefined ? notFound() : json(told);
  };
  const act = async (job: Job, request: Request, context: PageContext): Promise<Response> => {
    const body = await deciding.bodyFrom(request, context.remoteAddress);
    if (body instanceof Response) return body;
    return (await acting.act(job.kind, job.name, body)) ?? jobAnswer(job);
  };

  /** What a POST to this address does; `undefined`: nothing is posted to it. */
  const posts = (path: string, request: Request, context: PageContext): (() => MaybePromise<Response>) | undefined => {
    const [, incident] = /^\/incidents\/([\w-]+)\/start$/.exec(path) ?? [];
    if (incident !== undefined) return () => start(incident, request, context);
    const [, run] = /^\/runs\/([0-9a-f]{1,64})\/decide$/.exec(path) ?? [];
    if (run !== undefined) return () => deciding.decide(run, request, context.remoteAddress);
    const job = jobIn(/^\/(load|schedule|consumer)s\/([^/]+)\/act$/.exec(path));
    if (job !== undefined) return () => act(job, request, context);
    return path === "/unlock" ? () => deciding.unlock(request, context.remoteAddress) : undefined;
  };

  return async (request, context = {}) => {
    const url = new URL(request.url);
    if (url.pathname !== base && !url.pathname.startsWith(`${base}/`)) return notFound();
    const path = url.pathname.slice(base.length);
    const post = posts(path, request, context);
    const allowed = post === undefined ? "GET, HEAD" : "POST";
    if (!allowed.split(", ").includes(request.method)) {
      return refused(405, "method", `Only ${allowed} is answered here.`, { allow: allowed });
    }
    try {
      return post === undefined ? withoutBody(request, await get(path, url, request, context)) : await post();
    } catch (error) {
      if (isRepriseError(error)) return refused(error.status, error.code, error.message);
      return refused(500, "failed", "The page could not answer.");
    }
  };
}

interface Job {
  readonly kind: JobKind;
  readonly name: string;
}

function jobIn(found: RegExpExecArray | null): Job | undefined {
  const [, kind, name] = found ?? [];
  if ((kind !== "load" && kind !== "schedule" && kind !== "consumer") || name === undefined) return undefined;
  try {
    return { kind, name: decodeURIComponent(name) };
  } catch {
    return undefined;
  }
}

const notFound = () => refused(404, "not-found", "There is nothing here.");

function pendingWritesOf(inside: Inside): LiveMessage["pendingWrites"] {
  const pending = inside.caches().map(({ name, pendingWrites }) => [name, pendingWrites()] as const);
  return Object.fromEntries(pending.flatMap(([name, count]) => (count === undefined ? [] : [[name, count] as const])));
}

function rangeOf(url: URL): Range {
  const asked = url.searchParams.get("range");
  return isRange(asked) ? asked : "15m";
}

function withoutBody(request: Request, response: Response): Response {
  if (request.method !== "HEAD") return response;
  void response.body?.cancel();
  return new Response(null, { status: response.status, headers: response.headers });
}
