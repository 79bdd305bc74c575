import type { Incident, IncidentResult, IncidentSide } from "../../src/page/incident.ts";
import { random } from "./random.ts";

/** Two incidents with invented, deterministic results. */

function stampedeSide(bad: boolean): IncidentSide {
  const noise = random(bad ? 43 : 47);
  const x = Array.from({ length: 181 }, (_, index) => -30 + index * 2);
  const arrivals = x.map((at) => (at < 4 ? 4.4 : 4.4 + 34 * Math.exp(-(at - 4) / 95)) + noise());
  const load = (at: number) => (at < 0 ? 0 : at < 6 ? at / 6 : at <= 200 ? 1 : at < 290 ? (290 - at) / 90 : 0);
  const f = x.map((at) => (bad ? load(at) : 0));
  return {
    title: bad ? "Without" : "With Reprise",
    note: bad ? "cache-aside, 60 s, as most people write it" : "as declared in reprise.ts",
    figures: [
      { label: "Outage", value: bad ? "241" : "0", unit: "s", bad },
      { label: "Saw an error", value: bad ? "2,914" : "0", unit: "people", bad },
      {
        label: "Queries at most",
        value: bad ? "224" : "2.7",
        unit: bad ? "/s, 112× normal" : "/s, 1.3× normal",
        bad: false,
      },
      { label: "Slowest 1 in 100", value: bad ? "10.1" : "38", unit: bad ? "s" : "ms", bad: false },
    ],
    panes: [
      {
        title: "Arrivals, per second, the same on both sides",
        unit: "/s",
        scale: "linear",
        x,
        lines: [{ name: "arrivals", kind: "area", values: arrivals }],
      },
      {
        title: "Database queries, per second",
        unit: "/s",
        scale: "linear",
        x,
        lines: [
          {
            name: "queries",
            kind: "area",
            values: f.map((one, i) => 2 + noise() * 0.7 + one * (x[i] === 6 ? 222 : 160 + 20 * noise())),
          },
        ],
        limit: { value: 40, label: "a pool of 10 can do 40" },
      },
      {
        title: "Time to answer: p50 and p99",
        unit: "ms",
        scale: "log",
        x,
        lines: [
          { name: "p50", kind: "line", values: f.map((one) => 8 + noise() + one * one * 3_100) },
          { name: "p99", kind: "line", values: f.map((one) => 25 + 4 * noise() + one * 9_400) },
        ],
      },
      {
        title: "Errors people saw, per second",
        unit: "/s",
        scale: "linear",
        x,
        lines: [{ name: "errors", kind: "area", values: f.map((one, i) => (arrivals[i] ?? 0) * one * 0.6) }],
      },
    ],
    marks: [
      { at: 0, label: "expiry" },
      { at: 4, label: "announcement" },
    ],
    ...(bad ? { outage: { from: 6, to: 247, seconds: 241 } } : {}),
  };
}

/** `step: moment`, in the order of a run. */
const points = [
  "claim: before",
  "claim: after",
  "seat put aside: inside its transaction",
  "seat put aside: after",
  "start of the charge: before",
  "start of the charge: after",
  "send: before",
  "send: while the gateway works",
  "answer: come, not kept",
  "pin: after",
  "booking's transaction: before",
  "booking's transaction: inside",
  "booking's transaction: after",
  "completion: before",
  "completion: after, nobody told",
] as const;
/** A key table charges again from the call of the gateway until its outcome is saved. */
const chargedAgain = points.slice(7, 14);

function chargeSide(bad: boolean): IncidentSide {
  const events = Array.from({ length: 50 }, (_, index) => {
    const point = points[index % points.length] ?? points[0];
    const twice = bad && chargedAgain.includes(point);
    return {
      point,
      count: twice ? 2 : 1,
      beside: 1,
      told: index % 3 === 2 ? "booked, replayed" : "booked",
      bad: twice,
    };
  });
  const twice = events.filter((event) => event.bad).length;
  return {
    title: bad ? "Without" : "With Reprise",
    note: bad ? "a key table: check, work, save" : "claim, pinned effect, one transaction",
    figures: [
      { label: "Charged twice", value: String(twice), unit: "of 50 customers", bad: twice > 0 },
      { label: "Taken and not owed", value: `€${twice * 90}`, unit: "", bad: twice > 0 },
      { label: "Charged, no booking", value: bad ? "3" : "0", unit: "", bad },
      { label: "Retry told the truth", value: bad ? "24" : "50", unit: "of 50", bad: false },
    ],
    panes: [],
    marks: [],
    kills: {
      height: "how often the gateway charged that booking",
      heads: ["Charges", "Bookings", "The client was told"],
      events,
    },
  };
}

export function fakeIncidents(): readonly Incident[] {
  const at = new Date(Date.now() - 3 * 86_400_000).toISOString();
  const stampede: IncidentResult = {
    at,
    headline: "Four minutes of outage, or none.",
    sides: [stampedeSide(true), stampedeSide(false)],
    rowsTitle: "The same replay with protections taken away",
    rowsOf: "Taken away",
    rowHeads: ["Queries/s at most", "Outage, s"],
    rows: [
      { taken: "Refresh of the hottest, every 45 s", figures: [9.4, 0] },
      { taken: "One flight per key", figures: [2.9, 0] },
      { taken: "Stale while refreshing", figures: [3.1, 0] },
      { taken: "Flight, refresh and stale together", figures: [187, 203] },
    ],
    facts: [
      { name: "Arrivals", value: "5,208 visitors in 5.5 min, open arrivals, Zipf 1.1 over 200 workshops, seed 7" },
      { name: "Database", value: "SQLite, 45 ms a query, pool of 10, requests time out after 10 s" },
      { name: "Time", value: "scaled 10 : 1; axes show the original time" },
    ],
    again: "npm run -s incident -- stampede --seed 7",
  };
  const charge: IncidentResult = {
    at,
    headline: "Charged twice, or once.",
    sides: [chargeSide(true), chargeSide(false)],
    rowsTitle: "And without a crash",
    rowsOf: "What the client did",
    rowHeads: ["Without", "With"],
    rows: [
      { taken: "Two requests at once", figures: [2, 1] },
      { taken: "Retried during the first", figures: [2, 1] },
      { taken: "Lost the answer, retried", figures: [1, 1] },
    ],
    facts: [
      { name: "Killed", value: "SIGKILL at 50 moments spread over one booking, process restarted, client retries" },
      { name: "Gateway", value: "a second process with its own database; honours keys and counts every charge" },
    ],
    again: "npm run -s incident -- double-charge",
  };
  const incident = (name: string, title: string, story: string, result: IncidentResult): Incident => {
    let last: IncidentResult | undefined = result;
    return {
      name,
      title,
      story,
      takesSeconds: 4,
      start: async (progress) => {
        for (let step = 0; step <= 8; step += 1) {
          progress(step < 4 ? "without, second 30" : "with, second 30", step / 8);
          await new Promise((resolve) => setTimeout(resolve, 250));
        }
        last = { ...result, at: new Date().toISOString() };
        return last;
      },
      lastResult: () => Promise.resolve(last),
    };
  };
  return [
    incident(
      "stampede",
      "Stampede",
      "All availability keys were set together, so they expire together, four seconds before an announcement. Both sides replay the same recorded arrivals against the same small database.",
      stampede,
    ),
    incident(
      "double-charge",
      "Double charge",
      "The process is killed at 50 different moments of one booking, restarted, and the client retries with the same key.",
      charge,
    ),
  ];
}
