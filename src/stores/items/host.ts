import type { Clock } from "../../base/clock.ts";
import { RepriseError } from "../../base/errors.ts";
import { UnderWay } from "../../base/under-way.ts";
import { calling } from "../calling.ts";
import type { Content, ItemStore, TellDate } from "./item-store.ts";
import { schemaKey, schemaVersion } from "./schema.ts";
import { createStoreClock, type StoreClock } from "./store-clock.ts";

export interface HostOptions {
  readonly deadlineMs: number;
  readonly clock: Clock;
}

/** How a store is bound to one host: each request is sent at a time of `sending`, and its answer's date is told. */
export type Bind = (telling: { readonly sending: () => number; readonly tell: TellDate }) => ItemStore;

/** One ledger's items and its clock, and each call with its deadline. */
export interface Host {
  readonly name: string;
  readonly items: ItemStore;
  readonly clock: StoreClock;
  readonly deadlineMs: number;
  readonly open: () => Promise<void>;
  readonly close: () => Promise<void>;
  /** One request or several, whether or not it is open. */
  readonly ask: <T>(doing: string, work: (signal: AbortSignal) => Promise<T>) => Promise<T>;
  /** One call of the ledger. The first one opens. */
  readonly call: <T>(doing: string, work: (signal: AbortSignal) => Promise<T>) => Promise<T>;
  /** Not larger than an item may be. `operation`: whose work it is; left out: it is something else. */
  readonly check: (content: Content, operation?: string) => Content;
}

const forbidden = "it refuses the client's key, or what that may do does not suffice";
const gone = "its table is gone";
const invalid = "it refuses the request as invalid, such as for the table's name or its keys";

/** What a service answers until somebody mends it, by its code or, where its client has none, its status. */
const permanent: Readonly<Record<string, string>> = {
  "HTTP 400": invalid,
  InvalidInput: invalid,
  InvalidResourceName: invalid,
  OutOfRangeInput: invalid,
  ValidationException: invalid,
  "HTTP 401": forbidden,
  "HTTP 403": forbidden,
  "HTTP 404": gone,
  AccessDeniedException: forbidden,
  ExpiredTokenException: forbidden,
  InvalidSignatureException: forbidden,
  MissingAuthenticationTokenException: forbidden,
  UnrecognizedClientException: forbidden,
  ResourceNotFoundException: gone,
};

export function createHost(bind: Bind, { deadlineMs, clock }: HostOptions): Host {
  // a store has its name before its clock has to name it
  const named = { ledger: "" };
  const storeClock = createStoreClock(clock, () => named.ledger);
  const items = bind({ sending: storeClock.sending, tell: storeClock.observe });
  named.ledger = items.name;
  const ledger = items.name;
  const underWay = new UnderWay<Promise<unknown>>();
  let opening: Promise<void> | undefined;
  let closed = false;

  const away = (why: string, cause?: Error) => new RepriseError("REPRISE_LEDGER_AWAY", { ledger, doing: why }, cause);

  const failed = (doing: string) => (why: string, cause?: Error) => {
    const fault = permanent[why];
    if (fault === undefined) return away(`${doing}, ${why}`, cause);
    return new RepriseError("REPRISE_LEDGER_UNUSABLE", { ledger, why: fault }, cause);
  };

  const ask: Host["ask"] = async (doing, work) => {
    const working = calling({ deadlineMs, away: failed(doing) }, work);
    const leave = underWay.add(working);
    try {
      return await working;
    } finally {
      leave();
    }
  };

  const connect = async (signal: AbortSignal): Promise<void> => {
    if (!(await items.isThere(signal))) await items.create(signal);
    const found = (await items.get(schemaKey, signal))?.text;
    if (found === schemaVersion) return;
    if (found !== undefined) {
      throw new RepriseError("REPRISE_LEDGER_SCHEMA", { ledger, found, expected: schemaVersion });
    }
    await items.insert(schemaKey, { text: schemaVersion, overAt: null }, signal);
  };

  const opened = (doing: string): Promise<void> => {
    if (closed) return Promise.reject(away(`${doing}, closed`));
    // what fails to open is tried again by the next call
    opening ??= ask("open", connect).catch((error: unknown) => {
      opening = undefined;
      throw error;
    });
    return opening;
  };

  return {
    name: ledger,
    items,
    clock: storeClock,
    deadlineMs,
    ask,
    open: () => opened("open"),
    close: async () => {
      closed = true;
      // the client is its owner's; each call ends by its deadline
      await Promise.allSettled([...underWay]);
    },
    call: async (doing, work) => {
      await opened(doing);
      return ask(doing, work);
    },
    check: (content, operation) => {
      const { sizeOf, atMost } = items.limit;
      const bytes = sizeOf(content.text);
      if (bytes <= atMost) return content;
      if (operation !== undefined) throw new RepriseError("REPRISE_OUTCOME_TOO_LARGE", { operation, bytes, atMost });
      const why = `${bytes} bytes were to be written as one item, which holds ${atMost}`;
      throw new RepriseError("REPRISE_LEDGER_UNUSABLE", { ledger, why });
    },
  };
}
