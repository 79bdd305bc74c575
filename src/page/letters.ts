import type { Administration } from "../admin/administration.ts";
import { letterRow } from "../admin/consumer-rows.ts";
import { isRepriseError } from "../base/errors.ts";
import { labelOf } from "../operation/endings.ts";
import type { AskedJob, LettersLook } from "./wire.ts";

/**
 * The last look at what each consumer has set aside. Never by itself: a broker that cannot browse keeps from others what is
 * looked at, and may count a delivery, so that a page that lies open would use a message up.
 */
export interface Letters {
  /** Looks anew; whoever asks meanwhile gets the same look. Never rejects. */
  readonly look: (name: string) => Promise<void>;
  readonly last: (name: string) => LettersLook | null;
  /** Whether it was before the end of what a person had done. */
  readonly isOlder: (name: string, asked: AskedJob | null) => boolean;
}

export function lettersOf({ consumers }: Administration, now: () => number): Letters {
  const last = new Map<string, LettersLook>();
  const looking = new Map<string, Promise<void>>();
  const look = async (name: string) => {
    const at = now();
    try {
      const { letters, more } = await consumers.deadLetters(name);
      last.set(name, { at, letters: letters.map(letterRow), more, failed: null });
    } catch (error) {
      const failed = isRepriseError(error) ? error.message : (labelOf(error) ?? "It did not answer.");
      last.set(name, { at, letters: last.get(name)?.letters ?? [], more: false, failed });
    }
    looking.delete(name);
  };
  return {
    look: (name) => {
      const under = looking.get(name) ?? look(name);
      looking.set(name, under);
      return under;
    },
    last: (name) => last.get(name) ?? null,
    isOlder: (name, asked) => {
      const at = last.get(name)?.at;
      return at !== undefined && asked !== null && asked.ended !== null && at < asked.ended.at;
    },
  };
}
