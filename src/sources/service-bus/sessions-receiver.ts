import { Abortable } from "../../base/abortable.ts";
import { systemClock } from "../../base/clock.ts";
import { rest } from "../../base/promise.ts";
import type { Receiver } from "../../contract/source.ts";
import { type Entity, receiving } from "./entity.ts";
import { Line, within } from "./line.ts";
import { codeOf } from "./lock.ts";
import { Session } from "./session.ts";
import type { ServiceBusConnection, ServiceBusSession } from "./shapes.ts";

/** There is no session with messages that nobody has. The broker says so after a minute, as a rule. */
const noneCodes = new Set(["ServiceTimeout", "SessionCannotBeLocked"]);
const askAgainMs = 250;

/** Receives the messages of several sessions at once, each in its order. */
export async function receiveFromSessions(
  client: ServiceBusConnection,
  entity: Entity,
  { most, atOnce }: { readonly most: number; readonly atOnce: number },
): Promise<Receiver> {
  const line = new Line();
  const closing = new Abortable();
  const sessions = new Set<Session>();
  const seats = Math.min(atOnce, most);
  const accept = () => {
    const options = receiving({ abortSignal: closing.signal });
    return entity.queue === undefined
      ? client.acceptNextSession(entity.topic, entity.subscription, options)
      : client.acceptNextSession(entity.queue, options);
  };
  const attend = async (accepted: ServiceBusSession) => {
    const session = new Session(accepted, line, Math.floor(most / seats));
    sessions.add(session);
    // it was accepted while this receiver stopped
    if (line.isStopped) await session.leave();
    else await session.attend();
    sessions.delete(session);
  };
  const seat = async () => {
    for (;;) {
      await line.whenAsked();
      if (line.isStopped) return;
      try {
        await attend(await accept());
      } catch (error) {
        if (closing.reason !== undefined) return;
        if (!noneCodes.has(codeOf(error))) return line.break(error);
        await rest(systemClock, askAgainMs, closing.signal);
      }
    }
  };
  for (let index = 0; index < seats; index += 1) void seat();
  const each = (work: (session: Session) => Promise<void>) => () => Promise.all([...sessions].map(work));
  return {
    pull: (asked, signal) => line.pull(asked, signal),
    stop: async (first) => {
      closing.abort(new Error("it has stopped"));
      await line.stop(
        each((session) => session.stop()),
        first,
      );
      for (const session of sessions) session.leaveWhenEmpty();
    },
    close: async () => {
      closing.abort(new Error("it is closed"));
      await line.end(
        each((session) => session.stop()),
        each((session) => session.leave()),
      );
      await within(client.close());
    },
  };
}
