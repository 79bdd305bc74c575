import { insist } from "../base/insist.ts";
import type { Register } from "../contract/registers.ts";
import type { DeadLetter, DeadLetters } from "../contract/source.ts";
import type { OutboxStores } from "./host.ts";
import { decodeSetAside, encodeMessage } from "./message.ts";

/** What is set aside of an outbox: registers, so that looking keeps them from nobody. */
export function deadLettersOf(stores: OutboxStores): DeadLetters {
  const { clock, ledger, registers, settings, waiter } = stores;
  const { deadLetters, messages } = settings.names;
  const find = (letter: DeadLetter) => insist(clock, () => registers.read(deadLetters + letter.id));
  const remove = async ({ name, version }: Register): Promise<"done" | "gone"> =>
    (await insist(clock, () => registers.remove(name, version))) ? "done" : "gone";
  return {
    list: async (most) => {
      const found = await insist(clock, () => registers.list({ prefix: deadLetters, after: null, limit: most }));
      return found.map((register) => letterOf(register, register.name.slice(deadLetters.length)));
    },
    redrive: async (letter) => {
      const found = await find(letter);
      if (found === null) return "gone";
      const { message } = decodeSetAside(found);
      await ledger.transaction(async (tx) => {
        await registers.appendIn(tx, messages, encodeMessage(message));
      });
      waiter.published();
      await remove(found);
      return "done";
    },
    discard: async (letter) => {
      const found = await find(letter);
      return found === null ? "gone" : remove(found);
    },
    close: async () => {},
  };
}

function letterOf(register: Register, id: string): DeadLetter {
  const { message, reason, why } = decodeSetAside(register);
  return {
    id,
    read: () => JSON.parse(message.body),
    sentAt: message.sentAt,
    setAsideAt: register.at,
    reason,
    why,
    bytes: Buffer.byteLength(message.body),
  };
}
