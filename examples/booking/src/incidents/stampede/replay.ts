import { Agent, get } from "node:http";
import { type Arrival, story } from "./story.ts";

/** What became of one visitor. */
export interface Answer {
  /** When he came, in seconds of the story. */
  readonly at: number;
  /** From when he should have come to his answer, in milliseconds of the story: lateness of ours counts against us. */
  readonly ms: number;
  readonly ok: boolean;
}

export interface Replay {
  readonly answers: readonly Answer[];
  /** How late the latest 1 in 100 visitors were sent, in milliseconds of the story. */
  readonly lateMs: number;
}

export interface ReplaySettings {
  readonly address: string;
  readonly arrivals: readonly Arrival[];
  readonly scale: number;
  /** Told when the story's first second begins, in milliseconds since the epoch. */
  readonly started: (at: number) => void;
  readonly progress: (at: number) => void;
}

/** Sends the recorded visitors at their times, whether or not earlier ones have been answered. */
export async function replay(settings: ReplaySettings): Promise<Replay> {
  const { arrivals, scale, progress } = settings;
  const agent = new Agent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY });
  const answers: Promise<Answer>[] = [];
  const late: number[] = [];
  const realTimeOf = (at: number) => startsAt + ((at - story.from) * 1_000) / scale;
  const now = () => performance.timeOrigin + performance.now();

  await openConnections(agent, settings.address);
  const startsAt = now() + 200;
  settings.started(startsAt);
  let next = 0;
  for (;;) {
    for (
      let arrival = arrivals[next];
      arrival !== undefined && realTimeOf(arrival.at) <= now();
      arrival = arrivals[next]
    ) {
      const { at, workshop } = arrival;
      const due = realTimeOf(at);
      late.push((now() - due) * scale);
      const sent = visit(agent, `${settings.address}/workshops/${workshop}/availability`, story.patienceMs / scale);
      answers.push(sent.then((ok) => ({ at, ms: (now() - due) * scale, ok })));
      next += 1;
    }
    const following = arrivals[next];
    if (following === undefined) break;
    progress(following.at);
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, realTimeOf(following.at) - now())));
  }
  const settled = await Promise.all(answers);
  agent.destroy();
  late.sort((a, b) => a - b);
  return { answers: settled, lateMs: late[Math.floor(late.length * 0.99)] ?? 0 };
}

/** A crowd's browsers connect before they ask; a burst of handshakes would measure the load generator. */
async function openConnections(agent: Agent, address: string): Promise<void> {
  for (let round = 0; round < 20; round += 1) {
    await Promise.all(Array.from({ length: 50 }, () => visit(agent, `${address}/healthz`, 10_000)));
  }
}

function visit(agent: Agent, address: string, patienceMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const request = get(address, { agent }, (response) => {
      response.resume();
      response.once("end", () => done(response.statusCode === 200));
      response.once("error", () => done(false));
    });
    const patience = setTimeout(() => {
      request.destroy();
      done(false);
    }, patienceMs);
    const done = (ok: boolean) => {
      clearTimeout(patience);
      resolve(ok);
    };
    request.once("error", () => done(false));
  });
}
