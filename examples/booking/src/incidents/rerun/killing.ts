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
  /** Whether this process has written a window to its end, and whether the transaction that was begun last is one. */
  let [windowWritten, fenced] = [false, false];
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
        kill.at("window: progress noted, fence not checked");
        const holds = await check(tx, grip);
        kill.at("window: fence checked, not committed");
        fenced = true;
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
        const written = await registers.replace(name, value, version);
        // the run with its windows: what points to it is a number
        if (!windowWritten && value.startsWith("{")) kill.at("plan: windows written down, none begun");
        return written;
      },
      replaceIn: async (tx, name, value, version) => {
        kill.at("window: begun, its progress not noted");
        return replaceIn(tx, name, value, version);
      },
    },
    sql: {
      ...sql,
      begin: async (work, statementMs) => {
        fenced = false;
        const result = await sql.begin(work, statementMs);
        windowWritten ||= fenced;
        if (fenced) kill.at("window: committed, the next not begun");
        return result;
      },
    },
  };
}
