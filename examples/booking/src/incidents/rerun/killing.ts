import type { sqliteLedger } from "reprise/sqlite";
import type { KillSwitch } from "../kill-switch.ts";
import type { Point } from "./points.ts";

type SqliteLedger = ReturnType<typeof sqliteLedger>;

/** The ledger that a load runs beside, with a kill switch around each of its steps. `begun` is told when it has the lease. */
export function killingLedger(ledger: SqliteLedger, kill: KillSwitch<Point>, begun: () => void): SqliteLedger {
  const { leases, registers, sql } = ledger;
  if (leases?.check === undefined || registers?.replaceIn === undefined || sql === undefined) {
    throw new Error("A load needs leases, registers and SQL of its ledger.");
  }
  const check = leases.check.bind(leases);
  const replaceIn = registers.replaceIn.bind(registers);
  /** What the transaction that is open notes: the run with its windows, or the progress of one. */
  let noting: "plan" | "window" | null = null;
  let windowWritten = false;
  return {
    ...ledger,
    leases: {
      ...leases,
      acquire: async (request) => {
        const lease = await leases.acquire(request);
        if (lease.is === "acquired") {
          begun();
          kill.at("lease: taken, nothing read");
        }
        return lease;
      },
      check: async (tx, grip) => {
        if (noting === "window") kill.at("window: progress noted, fence not checked");
        const holds = await check(tx, grip);
        if (noting === "window") kill.at("window: fence checked, not committed");
        return holds;
      },
      release: async (grip) => {
        kill.at("end: recorded, lease not given back");
        return leases.release(grip);
      },
    },
    registers: {
      ...registers,
      replace: async (name, value, version) => {
        // how a schedule stands is kept there too
        if (!name.startsWith("load/")) return registers.replace(name, value, version);
        if (windowWritten) kill.at("end: not recorded");
        return registers.replace(name, value, version);
      },
      replaceIn: async (tx, name, value, version) => {
        noting = /^load\/.*\/window\//.test(name) ? "window" : "plan";
        if (noting === "window") kill.at("window: begun, its progress not noted");
        return replaceIn(tx, name, value, version);
      },
    },
    sql: {
      ...sql,
      begin: async (work, statementMs) => {
        noting = null;
        const result = await sql.begin(work, statementMs);
        windowWritten ||= noting === "window";
        if (noting === "plan") kill.at("plan: windows written down, none begun");
        if (noting === "window") kill.at("window: committed, the next not begun");
        return result;
      },
    },
  };
}
