import type { IncidentResult, IncidentSide } from "reprise/page";
import { inScratch, type Progress, part } from "../scratch.ts";
import { leaseMs, type OrderResult, overlapNames, runSide } from "./run.ts";

export interface DoubleChargeSettings {
  /** A few kills instead of fifty. */
  readonly quick: boolean;
  readonly progress: Progress;
}

export interface DoubleChargeFigures {
  /** The most that one booking was charged. */
  readonly charges: number;
  /** Bookings that were charged more than once. */
  readonly doubleCharged: number;
  /** Charges without a booking, and acknowledged bookings that are not there. */
  readonly lost: number;
  /** Bookings made, of how many orders. */
  readonly bookings: number;
  readonly orders: number;
  /** Orders whose client was told what became of them. */
  readonly told: number;
}

export interface DoubleCharge {
  readonly without: DoubleChargeFigures;
  readonly with: DoubleChargeFigures;
  readonly kills: number;
  readonly leaseMs: number;
  /** Without any crash: orders charged more than once. */
  readonly overlaps: readonly {
    readonly what: string;
    readonly orders: number;
    readonly without: number;
    readonly with: number;
  }[];
  readonly result: IncidentResult;
}

/** Kills the platform at every step of a booking, on both sides, and lets clients overlap without a crash. */
export async function runDoubleCharge({ quick, progress }: DoubleChargeSettings): Promise<DoubleCharge> {
  const kills = quick ? 5 : 50;
  const overlaps = quick ? 1 : 3;
  return inScratch("double-charge", async (directory) => {
    const plain = await runSide({ side: "without", directory, kills, overlaps, progress: part(progress, 0, 0.4) });
    const reprise = await runSide({ side: "with", directory, kills, overlaps, progress: part(progress, 0.4, 1) });
    const twice = (orders: readonly OrderResult[], what: string) =>
      orders.filter((order) => order.what === what && order.charges > 1).length;
    const rows = overlapNames.map((what) => ({
      what,
      orders: overlaps,
      without: twice(plain, what),
      with: twice(reprise, what),
    }));
    const figures = { without: figuresOf(plain), with: figuresOf(reprise) };
    return {
      ...figures,
      kills,
      leaseMs,
      overlaps: rows,
      result: {
        at: new Date().toISOString(),
        headline: headlineOf(figures.without, figures.with),
        sides: [
          sideOf(plain, "Without", "a key table: check, work, save"),
          sideOf(reprise, "With Reprise", "as declared in reprise.ts"),
        ],
        rows: rows.map((row) => ({ taken: row.what, figures: [row.orders, row.without, row.with] })),
        rowsTitle: "And without a crash",
        rowsOf: "What the client did",
        rowHeads: ["Orders", "Charged twice, without", "with Reprise"],
        facts: [
          { name: "Kills", value: `${kills} on each side, SIGKILL of the platform's own process, then a restart` },
          { name: "Client", value: "sends the same request with the same key until it is told what became of it" },
          { name: "Gateway", value: "a process and a database of its own; honours idempotency keys" },
          {
            name: "Lease",
            value: `${leaseMs / 1_000} s instead of 30 s, so that a retry need not wait for a dead owner`,
          },
          { name: "Counted", value: "in the gateway's and the platform's databases, after the last retry" },
          { name: "Lost", value: "a charge that no booking names, or an acknowledged booking that is not there" },
        ],
        again: `npm run -s incident -- double-charge${quick ? " --quick" : ""}`,
      },
    };
  });
}

/** What must hold of a run, in words; empty: it does. */
export function failuresOf({ without, with: reprise }: Pick<DoubleCharge, "without" | "with">): readonly string[] {
  return [
    without.charges < 2 ? "without: nothing was charged twice" : "",
    reprise.charges !== 1 ? "with: a booking was charged more than once, or none at all" : "",
    reprise.doubleCharged > 0 ? "with: bookings were charged twice" : "",
    reprise.lost > 0 ? "with: something was lost" : "",
    reprise.bookings !== reprise.orders ? "with: there are not as many bookings as orders" : "",
    reprise.told !== reprise.orders ? "with: a client was never told" : "",
  ].filter((failure) => failure !== "");
}

function figuresOf(orders: readonly OrderResult[]): DoubleChargeFigures {
  const sum = (of: (order: OrderResult) => number) => orders.reduce((total, order) => total + of(order), 0);
  return {
    charges: Math.max(0, ...orders.map(({ charges }) => charges)),
    doubleCharged: sum(({ charges }) => (charges > 1 ? 1 : 0)),
    lost: sum(({ lost }) => lost),
    bookings: sum(({ bookings }) => bookings),
    orders: orders.length,
    told: sum(({ told }) => (told.told === "booked" ? 1 : 0)),
  };
}

function headlineOf(without: DoubleChargeFigures, reprise: DoubleChargeFigures): string {
  const people = (count: number) => (count === 0 ? "nobody" : count === 1 ? "one customer" : `${count} customers`);
  const first = people(without.doubleCharged);
  return `${first.charAt(0).toUpperCase()}${first.slice(1)} charged twice, or ${people(reprise.doubleCharged)}.`;
}

function sideOf(orders: readonly OrderResult[], title: string, note: string): IncidentSide {
  const figures = figuresOf(orders);
  const killed = orders.filter((order) => order.killed);
  return {
    title,
    note,
    figures: [
      { label: "Charged twice", value: String(figures.doubleCharged), unit: "orders", bad: figures.doubleCharged > 0 },
      { label: "Charges of one order", value: String(figures.charges), unit: "at most", bad: figures.charges > 1 },
      { label: "Lost", value: String(figures.lost), unit: "charges or bookings", bad: figures.lost > 0 },
      {
        label: "Bookings made",
        value: String(figures.bookings),
        unit: `of ${figures.orders} orders`,
        bad: figures.bookings !== figures.orders,
      },
    ],
    panes: [],
    marks: [],
    kills: {
      height: "how often the gateway charged that booking",
      heads: ["Charges", "Bookings", "The client was told"],
      events: killed.map(({ what, charges, bookings, told, lost }) => ({
        point: what,
        count: charges,
        beside: bookings,
        told: told.replayed ? `${told.told}, replayed` : told.told,
        bad: charges !== 1 || bookings !== 1 || lost > 0,
      })),
    },
  };
}
