import type { Source } from "reprise";
import type { Mails } from "../../mail/client.ts";
import type { KillSwitch } from "../kill-switch.ts";
import type { Point } from "./points.ts";

export function killingMails(mails: Mails, kill: KillSwitch<Point>): Mails {
  return {
    send: async (mail, key, signal) => {
      kill.at("claim: taken, no mail sent");
      const sent = await mails.send(mail, key, signal);
      kill.at("mail: sent, not written down");
      return sent;
    },
  };
}

/** What a consumer has in hand, as the parent asks. */
export interface InHand {
  readonly messages: number;
  /** Since the last one came or went. */
  readonly quietMs: number;
}

/** The queue, with a kill switch around each message, and a count of what is in hand. */
export function killingSource(source: Source, kill: KillSwitch<Point>): { source: Source; inHand: () => InHand } {
  let messages = 0;
  let movedAt = performance.now();
  const move = (by: 1 | -1) => {
    messages += by;
    movedAt = performance.now();
  };
  return {
    inHand: () => ({ messages, quietMs: performance.now() - movedAt }),
    source: {
      ...source,
      open: async (...asked) => {
        const receiver = await source.open(...asked);
        return {
          ...receiver,
          pull: async (count, signal) =>
            (await receiver.pull(count, signal)).map((delivery) => {
              move(1);
              return {
                ...delivery,
                read: () => {
                  kill.at("receive: handed out, nothing begun");
                  return delivery.read();
                },
                settle: async (settlement) => {
                  kill.at("record: written down, not acknowledged");
                  const settled = await delivery.settle(settlement);
                  move(-1);
                  kill.at("acknowledge: sent");
                  return settled;
                },
              };
            }),
        };
      },
    },
  };
}
