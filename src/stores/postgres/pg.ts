import type { QueryResult } from "../../contract/transactions.ts";
import type { Answer, Connection, Driver, OwnRow, Statement } from "./driver.ts";
import { inOrder } from "./in-order.ts";
import { shareQueries, sharesQueries } from "./pg-queries.ts";
import { type Preparing, preparing } from "./preparing.ts";

/** What is used of a `Pool` of `pg`. */
export interface PgPool {
  connect(): Promise<PgClient>;
  readonly totalCount: number;
  readonly idleCount: number;
  readonly options: { readonly max?: number | undefined };
}

export interface PgClient {
  query(config: PgQuery): Promise<PgResult>;
  on(event: "error", listener: (error: Error) => void): unknown;
  release(destroy?: boolean): void;
}

export interface PgQuery {
  readonly text: string;
  readonly values: unknown[];
  /** `undefined`: it is prepared for this once. */
  readonly name: string | undefined;
  readonly queryMode: "extended";
  readonly types?: unknown;
}

export interface PgResult {
  readonly rows: readonly OwnRow[];
  readonly rowCount: number | null;
  readonly command: string;
}

/** The part of pg's protocol that lets statements share a round trip. */
interface Wire {
  readonly parsedStatements: Readonly<Record<string, string>>;
  readonly stream: { cork(): void; uncork(): void };
  parse(message: { readonly text: string; readonly name: string }): void;
  bind(message: { readonly statement: string; readonly values: readonly (string | null)[] }): void;
  describe(message: { readonly type: "P"; readonly name: "" }): void;
  execute(message: { readonly portal: "" }): void;
  sync(): void;
}

export function pgDriver(pool: PgPool, prepared: boolean): Driver {
  const names = prepared ? preparing() : undefined;
  return {
    connect: async () => connectionOf(await pool.connect(), names),
    isExhausted: () => pool.idleCount === 0 && pool.totalCount >= (pool.options.max ?? 10),
  };
}

/**
 * Whether a client of a pool is lost, told by a listener that stays with it: without one, a connection that breaks between
 * two statements would end the process.
 */
const watched = new WeakMap<PgClient, { isLost: boolean }>();

function watch(client: PgClient): { readonly isLost: boolean } {
  const known = watched.get(client);
  if (known !== undefined) return known;
  const state = { isLost: false };
  client.on("error", () => {
    state.isLost = true;
  });
  watched.set(client, state);
  return state;
}

function connectionOf(client: PgClient, names: Preparing | undefined): Connection {
  const state = watch(client);
  let isGivenBack = false;
  const giveBack = (destroy: boolean) => {
    if (isGivenBack) return;
    isGivenBack = true;
    client.release(destroy);
  };
  const query = async (text: string, params: readonly unknown[]): Promise<QueryResult> => {
    try {
      const result = await client.query(queryOf(text, params, names));
      return { rows: result.rows, count: result.rowCount ?? 0 };
    } catch (error) {
      names?.failed(text, error);
      throw error;
    }
  };
  return {
    send: (statements) => (speaksWire(client) ? share(client, statements) : sendEach(client, statements)),
    query,
    queryAll: async (queries) => {
      if (!speaksWire(client) || !sharesQueries(client)) return inOrder(queries, query);
      try {
        return await shareQueries(
          client,
          queries.map(({ text, params }) => queryOf(text, params, names)),
        );
      } catch (error) {
        for (const { text } of queries) names?.failed(text, error);
        throw error;
      }
    },
    isLost: () => isGivenBack || state.isLost,
    release: () => giveBack(state.isLost),
    destroy: () => giveBack(true),
  };
}

/** The extended protocol takes one statement: no second one can end the transaction unseen. */
function queryOf(text: string, params: readonly unknown[], names: Preparing | undefined): PgQuery {
  return { text, values: [...params], name: names?.nameOf(text), queryMode: "extended" };
}

/** Not the native client, and not one that pipelines: that one refuses queries of other kinds than its own. */
function speaksWire(client: object): boolean {
  if (!("connection" in client) || ("pipeline" in client && client.pipeline === true)) return false;
  const { connection } = client;
  return typeof connection === "object" && connection !== null && "parsedStatements" in connection;
}

/** Unawaited, each with a Sync of its own: what follows an error finds the transaction aborted. */
async function sendEach(client: PgClient, statements: readonly Statement[]): Promise<readonly Answer[]> {
  const sent = statements.map(({ text, name, params }) =>
    client.query({ text, values: [...params], name: name ?? undefined, queryMode: "extended" }),
  );
  const results = await Promise.allSettled(sent);
  return results.map((result) => {
    if (result.status === "rejected") throw result.reason;
    const { rows, rowCount, command } = result.value;
    return { rows, count: rowCount ?? 0, command };
  });
}

function share(client: PgClient, statements: readonly Statement[]): Promise<readonly Answer[]> {
  return new Promise((resolve, reject) => {
    // pg takes whatever has a submit and tells it the messages: it is no promise then
    void client.query(new SharedTrip(statements, resolve, reject) as unknown as PgQuery);
  });
}

/** The columns of our own statements, and a row to copy: their texts decide them, and there are a few dozen. */
const columnsOf = new Map<string, RowForm>();
const noColumns: RowForm = { columns: [], empty: {} };
interface RowForm {
  readonly columns: readonly string[];
  readonly empty: OwnRow;
}

/** Parsed, because an object that more than a dozen members are assigned to by name becomes a slow dictionary. */
function emptyRow(columns: readonly string[]): OwnRow {
  return JSON.parse(JSON.stringify(Object.fromEntries(columns.map((column) => [column, null])))) as OwnRow;
}

/** Parse, Bind and Execute for each statement and one Sync: an error makes the server skip what follows it. */
class SharedTrip {
  readonly #statements: readonly Statement[];
  readonly #answers: Answer[] = [];
  readonly #resolve: (answers: readonly Answer[]) => void;
  readonly #reject: (error: unknown) => void;
  #rows: OwnRow[] = [];

  constructor(
    statements: readonly Statement[],
    resolve: (answers: readonly Answer[]) => void,
    reject: (error: unknown) => void,
  ) {
    this.#statements = statements;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  /** The statement whose messages arrive: pg reads it to remember what is prepared, which is so only once parsed. */
  get name(): string | undefined {
    return this.#statements[this.#answers.length]?.name ?? undefined;
  }
  get text(): string | undefined {
    return this.#statements[this.#answers.length]?.text;
  }
  /** pg puts a callback of its own here when a query timeout is set. */
  callback: (error: unknown) => void = () => undefined;

  submit(wire: Wire): null {
    const parsed = new Set<string>();
    // a dozen small pieces cost the socket several times what one costs
    wire.stream.cork();
    for (const { text, name, params } of this.#statements) {
      const known = name !== null && (parsed.has(name) || wire.parsedStatements[name] !== undefined);
      if (!known) wire.parse({ text, name: name ?? "" });
      if (name !== null) parsed.add(name);
      wire.bind({ statement: name ?? "", values: params.map((value) => (value === null ? null : String(value))) });
      // what its columns are is asked once: a description is longer than most answers
      if (!columnsOf.has(text)) wire.describe({ type: "P", name: "" });
      wire.execute({ portal: "" });
    }
    wire.sync();
    wire.stream.uncork();
    return null;
  }

  handleRowDescription(message: { readonly fields: readonly { readonly name: string }[] }): void {
    const { text } = this;
    if (text === undefined) return;
    const columns = message.fields.map((field) => field.name);
    columnsOf.set(text, { columns, empty: emptyRow(columns) });
  }
  handleDataRow(message: { readonly fields: readonly unknown[] }): void {
    const { columns, empty } = columnsOf.get(this.text ?? "") ?? noColumns;
    const row: Record<string, unknown> = { ...empty };
    let place = 0;
    for (const column of columns) row[column] = message.fields[place++];
    this.#rows.push(row);
  }
  handleCommandComplete(message: { readonly text: string }): void {
    const { text } = this;
    // one that returns no rows is not described again either
    if (text !== undefined && !columnsOf.has(text)) columnsOf.set(text, noColumns);
    const tag = message.text;
    const end = tag.indexOf(" ");
    const command = end < 0 ? tag : tag.slice(0, end);
    // an INSERT names an object's id before it
    const count = end < 0 ? 0 : Number(tag.slice(tag.lastIndexOf(" ") + 1));
    this.#answers.push({ rows: this.#rows, count, command });
    this.#rows = [];
  }
  handleError(error: unknown): void {
    this.callback(error);
    this.#reject(error);
  }
  handleReadyForQuery(): void {
    this.callback(null);
    this.#resolve(this.#answers);
  }
}
