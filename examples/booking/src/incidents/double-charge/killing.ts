import type { Gateway } from "../../gateway/client.ts";
import type { Sources } from "../../reprise.ts";
import type { KillSwitch } from "../kill-switch.ts";
import type { Point } from "./points.ts";

/** How long after the request was written the process dies: the gateway has charged and not answered yet. */
const gatewayWorksMs = 20;

/** The platform's own ledger and gateway, with a kill switch around each step. */
export function withKillSwitch(sources: Sources, kill: KillSwitch<Point>): Sources {
  return { ...sources, ledger: killingLedger(sources.ledger, kill), gateway: killingGateway(sources.gateway, kill) };
}

export function killingGateway(gateway: Gateway, kill: KillSwitch<Point>): Gateway {
  return {
    ...gateway,
    charge: async (request, key, signal) => {
      kill.at("send: before the request");
      const timer = setTimeout(() => kill.at("send: while the gateway works"), gatewayWorksMs);
      const charge = await gateway.charge(request, key, signal).finally(() => clearTimeout(timer));
      kill.at("answer: come, not pinned");
      return charge;
    },
  };
}

function killingLedger(ledger: Sources["ledger"], kill: KillSwitch<Point>): Sources["ledger"] {
  return {
    ...ledger,
    claim: async (request) => {
      kill.at("claim: before it");
      const claim = await ledger.claim(request);
      kill.at("claim: taken, nothing done");
      return claim;
    },
    start: async (fence, start) => {
      kill.at("start: the charge is not recorded as begun");
      const started = await ledger.start(fence, start);
      kill.at("start: the charge is recorded as begun, nothing sent");
      return started;
    },
    pin: async (id, effect, answer) => {
      const pinned = await ledger.pin(id, effect, answer);
      kill.at("pin: answer pinned, process killed after");
      return pinned;
    },
    transact: async (fence, name, work) => {
      const booking = name === "booking";
      if (booking) kill.at("transaction: before the booking's");
      const result = await ledger.transact(fence, name, async (tx) => {
        const answered = await work(tx);
        kill.at(booking ? "transaction: inside the booking's" : "transaction: inside the one that puts the seat aside");
        return answered;
      });
      kill.at(booking ? "transaction: after the booking's" : "transaction: after the one that puts the seat aside");
      return result;
    },
    complete: async (fence, completion) => {
      kill.at("completion: before it");
      const completed = await ledger.complete(fence, completion);
      kill.at("completion: recorded, nobody told");
      return completed;
    },
  };
}
