import { useEffect, useReducer, useRef } from "preact/hooks";
import type { Metrics, Range } from "../../src/observe/metrics.ts";
import type {
  ConsumerAnswer,
  ConsumersAnswer,
  DecisionsAnswer,
  IncidentsAnswer,
  JobKind,
  LiveMessage,
  LoadAnswer,
  LoadsAnswer,
  Refusal,
  RunAnswer,
  RunsAnswer,
  ScheduleAnswer,
  SchedulesAnswer,
  TwiceAnswer,
} from "../../src/page/wire.ts";
import type { WorkingSet } from "../../src/page/working-set.ts";

const meta = (name: string) => document.querySelector(`meta[name="${name}"]`)?.getAttribute("content") ?? "";
export const base = meta("reprise-base");
export const service = meta("reprise-service");

/** What the page knows. Nothing is thrown away when the connection is lost: it is shown with its time. */
interface Known {
  readonly metrics: Metrics | undefined;
  readonly live: LiveMessage | undefined;
  readonly decisions: DecisionsAnswer | undefined;
  readonly incidents: IncidentsAnswer | undefined;
  /** The newest, as the view asks for them. */
  readonly runs: RunsAnswer | undefined;
  /** Those that need a person, however old: among the newest they would soon be lost. */
  readonly unknown: RunsAnswer | undefined;
  readonly loads: LoadsAnswer | undefined;
  readonly schedules: SchedulesAnswer | undefined;
  readonly consumers: ConsumersAnswer | undefined;
  /** Successes that happened twice. */
  readonly twice: TwiceAnswer | undefined;
  /** The code with which the ledger refused to tell of runs. */
  readonly runsRefused: string | undefined;
  readonly connection: "connecting" | "live" | "lost";
  /** When the last news came, on this browser's clock. */
  readonly newsAt: number | undefined;
  readonly retryAt: number | undefined;
}

const nothing: Known = {
  metrics: undefined,
  live: undefined,
  decisions: undefined,
  incidents: undefined,
  runs: undefined,
  unknown: undefined,
  loads: undefined,
  schedules: undefined,
  consumers: undefined,
  twice: undefined,
  runsRefused: undefined,
  connection: "connecting",
  newsAt: undefined,
  retryAt: undefined,
};

/** A feed that is silent for so long is lost: it speaks each second. */
const silenceMs = 4_000;
const seriesEveryMs = 10_000;
const runsEveryMs = 3_000;
/** Of a load or a schedule that is looked at, while something of it runs. */
const progressEveryMs = 1_000;
const longestRetryMs = 8_000;

export class Refused extends Error {
  readonly code: string;
  constructor({ error }: Refusal) {
    super(error.message);
    this.code = error.code;
  }
}

export async function fetchJson<T>(path: string, init?: RequestInit): Promise<T> {
  const response = await fetch(`${base}${path}`, { cache: "no-store", ...init });
  const body: unknown = await response.json();
  if (!response.ok) throw new Refused(body as Refusal);
  return body as T;
}

export interface Data extends Known {
  readonly reconnect: () => void;
  readonly refreshIncidents: () => void;
  /** Asks for the runs at once: one of them was decided. */
  readonly refreshRuns: () => void;
}

/** One feed for what changes each second, and the longer answers every few seconds while the feed lives. */
export function useData(range: Range | undefined, runsQuery: string): Data {
  const [known, tell] = useReducer((before: Known, news: Partial<Known>) => ({ ...before, ...news }), nothing);
  const [generation, reconnect] = useReducer((count: number) => count + 1, 0);
  const [decided, refreshRuns] = useReducer((count: number) => count + 1, 0);
  const retries = useRef(0);

  useEffect(() => {
    const feed = new EventSource(`${base}/live`);
    let silence: number | undefined;
    let retry: number | undefined;
    const lost = () => {
      feed.close();
      clearTimeout(silence);
      const waitMs = Math.min(longestRetryMs, 1_000 * 2 ** retries.current);
      retries.current += 1;
      tell({ connection: "lost", retryAt: Date.now() + waitMs });
      retry = window.setTimeout(reconnect, waitMs, undefined);
    };
    const heard = () => {
      clearTimeout(silence);
      silence = window.setTimeout(lost, silenceMs);
      retries.current = 0;
    };
    const live = ({ data }: MessageEvent<string>) => {
      heard();
      tell({ live: JSON.parse(data) as LiveMessage, connection: "live", newsAt: Date.now(), retryAt: undefined });
    };
    silence = window.setTimeout(lost, silenceMs);
    feed.addEventListener("live", live);
    feed.addEventListener("beat", heard);
    feed.onerror = lost;
    return () => {
      feed.close();
      clearTimeout(silence);
      clearTimeout(retry);
    };
  }, [generation]);

  const alive = known.connection === "live";
  const refreshIncidents = () => {
    fetchJson<IncidentsAnswer>("/incidents.json").then(
      (incidents) => tell({ incidents }),
      () => {},
    );
  };
  const replaying = known.live?.incident?.name;
  useEffect(() => {
    if (known.connection !== "lost") refreshIncidents();
  }, [alive, replaying]);

  useRepeated(seriesEveryMs, [alive, range], () => {
    fetchJson<Metrics>(`/metrics.json${range === undefined ? "" : `?range=${range}`}`).then(
      (metrics) => tell({ metrics }),
      () => {},
    );
    fetchJson<DecisionsAnswer>("/decisions.json").then(
      (decisions) => tell({ decisions }),
      () => {},
    );
    fetchJson<TwiceAnswer>("/twice.json").then(
      (twice) => tell({ twice }),
      () => {},
    );
  });
  useRepeated(runsEveryMs, [alive, decided], () => {
    fetchJson<RunsAnswer>("/runs.json?state=unknown").then(
      (unknown) => tell({ unknown }),
      () => {},
    );
  });
  useRepeated(runsEveryMs, [alive], () => {
    fetchJson<LoadsAnswer>("/loads.json").then(
      (loads) => tell({ loads }),
      () => {},
    );
    fetchJson<SchedulesAnswer>("/schedules.json").then(
      (schedules) => tell({ schedules }),
      () => {},
    );
    fetchJson<ConsumersAnswer>("/consumers.json").then(
      (consumers) => tell({ consumers }),
      () => {},
    );
  });
  useRepeated(runsEveryMs, [alive, runsQuery, decided], () => {
    fetchJson<RunsAnswer>(`/runs.json${runsQuery}`).then(
      (runs) => tell({ runs, runsRefused: undefined }),
      (error: unknown) => tell({ runsRefused: error instanceof Refused ? error.code : undefined }),
    );
  });
  return {
    ...known,
    reconnect: () => reconnect(undefined),
    refreshIncidents,
    refreshRuns: () => refreshRuns(undefined),
  };
}

type Found = RunAnswer | "gone" | undefined;

/** A run, and how to exchange it for what is known better. */
export function useRun(
  id: string | undefined,
  news: number | undefined,
): readonly [Found, (answer: RunAnswer) => void] {
  const [found, tell] = useReducer(
    (
      _: { readonly id: string; readonly answer: Found } | undefined,
      next: { readonly id: string; readonly answer: Found },
    ) => next,
    undefined,
  );
  // what was asked for before a decision is older than its answer
  const generation = useRef(0);
  useEffect(() => {
    if (id === undefined) return;
    generation.current += 1;
    const own = generation.current;
    const current = () => own === generation.current;
    fetchJson<RunAnswer>(`/runs/${id}.json`).then(
      (answer) => current() && tell({ id, answer }),
      (error: unknown) =>
        current() && error instanceof Refused && error.code === "not-found" && tell({ id, answer: "gone" }),
    );
    return () => {
      generation.current += 1;
    };
  }, [id, news]);
  const replace = (answer: RunAnswer) => {
    generation.current += 1;
    tell({ id: answer.run.id, answer });
  };
  return [found?.id === id ? found?.answer : undefined, replace];
}

/** What is known of each kind. */
export interface JobAnswers {
  readonly load: LoadAnswer;
  readonly schedule: ScheduleAnswer;
  readonly consumer: ConsumerAnswer;
}

interface JobFound<K extends JobKind> {
  readonly path: string;
  readonly answer: JobAnswers[K] | undefined;
  /** The code with which the ledger refused to tell. */
  readonly refused: string | undefined;
}

export const jobPath = (kind: JobKind, name: string): string => `/${kind}s/${encodeURIComponent(name)}`;

/** A load, a schedule or a consumer that is looked at, and how to exchange it for what is known better. */
export function useJob<K extends JobKind>(
  kind: K,
  name: string | undefined,
  query: string,
  alive: boolean,
  running: (answer: JobAnswers[K]) => boolean,
): readonly [JobAnswers[K] | undefined, string | undefined, (answer: JobAnswers[K]) => void] {
  const path = name === undefined ? "" : `${jobPath(kind, name)}.json${query}`;
  const [known, tell] = useReducer(
    (before: JobFound<K> | undefined, next: JobFound<K>) =>
      // what is known stays, and what somebody types beside it
      next.answer === undefined && before?.path === next.path ? { ...next, answer: before.answer } : next,
    undefined,
  );
  // what was asked for before something was done is older than its answer
  const generation = useRef(0);
  const found = known?.path === path ? known : undefined;
  const isRunning = found?.answer !== undefined && running(found.answer);
  useRepeated(isRunning ? progressEveryMs : runsEveryMs, [path, alive, isRunning], () => {
    if (path === "") return;
    generation.current += 1;
    const own = generation.current;
    const current = () => own === generation.current;
    fetchJson<JobAnswers[K]>(path).then(
      (answer) => current() && tell({ path, answer, refused: undefined }),
      (error: unknown) =>
        current() && error instanceof Refused && tell({ path, answer: undefined, refused: error.code }),
    );
  });
  const replace = (answer: JobAnswers[K]) => {
    generation.current += 1;
    tell({ path, answer, refused: undefined });
  };
  return [found?.answer, found?.refused, replace];
}

/** What a consumer has set aside, looked at once for each view of it: a look may keep messages from others. */
export function useLook(name: string | undefined, replace: (answer: ConsumerAnswer) => void): () => void {
  const [looks, again] = useReducer((count: number) => count + 1, 0);
  useEffect(() => {
    let current = true;
    if (name !== undefined) {
      fetchJson<ConsumerAnswer>(`${jobPath("consumer", name)}.json?look`).then(
        (answer) => current && replace(answer),
        () => {},
      );
    }
    return () => {
      current = false;
    };
  }, [name, looks]);
  return () => again(undefined);
}

/** Of a cache, or of all. */
export function useWorkingSet(cache: string | undefined, alive: boolean): WorkingSet | undefined {
  const [known, tell] = useReducer((_: WorkingSet | undefined, next: WorkingSet) => next, undefined);
  useRepeated(seriesEveryMs, [cache, alive], () => {
    const query = cache === undefined ? "" : `?cache=${encodeURIComponent(cache)}`;
    fetchJson<WorkingSet>(`/working-set.json${query}`).then(tell, () => {});
  });
  // an answer about the cache that was chosen before is none about this one
  return known?.cache === (cache ?? null) ? known : undefined;
}

/** While the page is looked at and the feed lives; once at the start, whatever happens. */
function useRepeated(everyMs: number, when: readonly unknown[], work: () => void): void {
  useEffect(() => {
    work();
    const timer = setInterval(() => {
      if (document.visibilityState === "visible") work();
    }, everyMs);
    return () => clearInterval(timer);
  }, when);
}
