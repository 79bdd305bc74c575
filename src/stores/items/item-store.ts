/**
 * What a ledger of items asks of a store of tables in the cloud: items found by a key of two parts, written under a
 * condition that the store judges, one at a time. Nothing here rests on a transaction over several items.
 *
 * For every method: one request (`list` and `scan`: one for each page), and a read sees every write that was acknowledged
 * before it. The date of each answer is told to whoever opened the store.
 */
export interface ItemStore {
  /** For messages: `"dynamodb"`. */
  readonly name: string;
  /** Of one item's text. A larger one is refused by the store. */
  readonly limit: ItemLimit;

  /** Whether there is a table: then it has answered, and told its date. */
  readonly isThere: (signal: AbortSignal) => Promise<boolean>;
  /** Creates the table, if nobody else did meanwhile, and resolves when it can be used. */
  readonly create: (signal: AbortSignal) => Promise<void>;
  /** `null`: there is no such item. */
  readonly get: (key: ItemKey, signal: AbortSignal) => Promise<Item | null>;
  /** Writes an item that is not there yet. Its tag; `null`: it is there, and nothing was written. */
  readonly insert: (key: ItemKey, content: Content, signal: AbortSignal) => Promise<Tag | null>;
  /** Writes over an item that is of this tag still. Its new tag; `null`: it is of another, or gone. */
  readonly replace: (key: ItemKey, content: Content, tag: Tag, signal: AbortSignal) => Promise<Tag | null>;
  /** Writes the item, whether or not it is there. */
  readonly put: (key: ItemKey, content: Content, signal: AbortSignal) => Promise<void>;
  /** Deletes the item if it is of this tag still; `null`: whatever its tag. False: it was of another, or not there. */
  readonly remove: (key: ItemKey, tag: Tag | null, signal: AbortSignal) => Promise<boolean>;
  /** A partition's items in the order of the bytes of their rows. */
  readonly list: (query: ListQuery, signal: AbortSignal) => Promise<readonly Item[]>;
  /** A page of all items in partitions whose name begins with `prefix`, in no order. */
  readonly scan: (query: ScanQuery, signal: AbortSignal) => Promise<ScanPage>;
}

export interface ItemKey {
  /** Of the characters `a-z 0-9 . -` and spaces. */
  readonly partition: string;
  /** Any text of at most 765 bytes, without NUL. */
  readonly row: string;
}

/** Changes with each write of the item. */
export type Tag = string;

export interface Content {
  readonly text: string;
  /** Of what may be swept: from when on, in milliseconds since the epoch. `null`: not yet. */
  readonly overAt: number | null;
}

export interface Item {
  readonly key: ItemKey;
  readonly text: string;
  readonly tag: Tag;
}

export interface ListQuery {
  readonly partition: string;
  /** The first row, with it or without. */
  readonly from: { readonly row: string; readonly inclusive: boolean };
  /** The row before which it ends; `null`: the partition's end. */
  readonly before: string | null;
  readonly limit: number;
}

export interface ScanQuery {
  readonly prefix: string;
  /** Only what may be swept since then; `null`: all. */
  readonly overBefore: number | null;
  /** Where the page before ended, as it said; `null`: from the beginning. */
  readonly after: string | null;
}

export interface ScanPage {
  readonly items: readonly Item[];
  /** `null`: there is no further one. */
  readonly next: string | null;
}

export interface ItemLimit {
  /** How much of it a text takes. */
  readonly sizeOf: (text: string) => number;
  readonly atMost: number;
}

/** Tells the store's clock the date of an answer, and when its request was sent. */
export type TellDate = (date: string | null | undefined, sentAt: number) => void;
