import type { QueryResult } from "../../contract/transactions.ts";
import type { PgClient, PgQuery, PgResult } from "./pg.ts";

/** pg's own query, which reads and writes values as its users have told it to. */
interface OwnQuery {
  readonly name: string | undefined;
  readonly text: string;
  /** An error that it found before it sent anything. */
  submit(wire: QueryWire): Error | null;
  handleRowDescription(message: unknown): void;
  handleDataRow(message: unknown): void;
  handleCommandComplete(message: unknown, wire: unknown): void;
  handleEmptyQuery(wire: unknown): void;
  handleError(error: unknown, wire: unknown): void;
  handleReadyForQuery(wire: unknown): void;
  handleCopyInResponse(wire: unknown): void;
  handleCopyData(message: unknown): void;
}
type OwnQueries = new (
  config: PgQuery,
  values: undefined,
  callback: (error: unknown, result: PgResult) => void,
) => OwnQuery;

interface QueryWire {
  readonly stream: { cork(): void; uncork(): void };
  sync(): void;
}

/** What is used of a client to send several queries at once. */
interface SharingClient extends PgClient {
  readonly constructor: { readonly Query: OwnQueries };
  readonly getTypeParser: (...asked: never[]) => unknown;
}

/** Whether `client` lends the class of its queries. */
export function sharesQueries(client: PgClient): client is SharingClient {
  const { Query } = client.constructor as { readonly Query?: unknown };
  return typeof Query === "function" && "getTypeParser" in client && typeof client.getTypeParser === "function";
}

/** Queries of the user's in one round trip. Rejects with the first error; what follows it was not run. */
export function shareQueries(client: SharingClient, queries: readonly PgQuery[]): Promise<readonly QueryResult[]> {
  return new Promise((resolve, reject) => {
    // pg takes whatever has a submit and tells it the messages: it is no promise then
    void client.query(new QueriesTrip(client, queries, resolve, reject) as unknown as PgQuery);
  });
}

/** Hands each message to the query that it belongs to. */
class QueriesTrip {
  readonly #queries: readonly OwnQuery[];
  readonly #results: QueryResult[] = [];
  readonly #resolve: (results: readonly QueryResult[]) => void;
  readonly #reject: (error: unknown) => void;
  #place = 0;

  constructor(
    client: SharingClient,
    queries: readonly PgQuery[],
    resolve: (results: readonly QueryResult[]) => void,
    reject: (error: unknown) => void,
  ) {
    this.#resolve = resolve;
    this.#reject = reject;
    const types = { getTypeParser: client.getTypeParser.bind(client) };
    this.#queries = queries.map((query) => {
      return new client.constructor.Query({ ...query, types }, undefined, (error, result) => {
        if (error === null) this.#results.push({ rows: result.rows, count: result.rowCount ?? 0 });
        else reject(error);
      });
    });
  }

  get #current(): OwnQuery | undefined {
    return this.#queries[this.#place];
  }
  /** pg reads both to remember what is prepared, which is so only once parsed. */
  get name(): string | undefined {
    return this.#current?.name;
  }
  get text(): string | undefined {
    return this.#current?.text;
  }
  /** pg puts a callback of its own here when a query timeout is set. */
  callback: (error: unknown) => void = () => undefined;

  submit(wire: QueryWire): Error | null {
    // one Sync for all: an error makes the server skip what follows it
    const withoutSync = Object.create(wire, { sync: { value: () => undefined } }) as QueryWire;
    wire.stream.cork();
    try {
      for (const query of this.#queries) {
        const error = query.submit(withoutSync);
        if (error !== null) this.#reject(error);
      }
      wire.sync();
    } finally {
      wire.stream.uncork();
    }
    return null;
  }

  handleRowDescription(message: unknown): void {
    this.#current?.handleRowDescription(message);
  }
  handleDataRow(message: unknown): void {
    this.#current?.handleDataRow(message);
  }
  handleCommandComplete(message: unknown, wire: unknown): void {
    this.#current?.handleCommandComplete(message, wire);
    this.#ended(wire);
  }
  handleEmptyQuery(wire: unknown): void {
    this.#current?.handleEmptyQuery(wire);
    this.#ended(wire);
  }
  handleCopyInResponse(wire: unknown): void {
    this.#current?.handleCopyInResponse(wire);
  }
  handleCopyData(message: unknown): void {
    this.#current?.handleCopyData(message);
  }
  handleError(error: unknown, wire: unknown): void {
    this.callback(error);
    this.#current?.handleError(error, wire);
    this.#reject(error);
  }
  handleReadyForQuery(): void {
    this.callback(null);
    this.#resolve(this.#results);
  }

  #ended(wire: unknown): void {
    this.#current?.handleReadyForQuery(wire);
    this.#place += 1;
  }
}
