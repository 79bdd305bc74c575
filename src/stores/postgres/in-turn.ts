import type { QueryResult } from "../../contract/transactions.ts";
import type { Query } from "./driver.ts";
import type { Held } from "./server.ts";

/** A run that has begun, and waits behind its gate. */
export interface Begun {
  readonly value: Promise<unknown>;
  /** Whether the one statement that it has asked for is all that it comes to. */
  readonly isAll: boolean;
}

/**
 * Runs one after the other on one connection, and resolves with what they come to. Statements of runs that come to one each
 * are sent together, for of such a run nothing happens between them. The first error ends it.
 */
export async function inTurn(held: Held, runs: readonly ((held: Held) => Begun)[]): Promise<readonly unknown[]> {
  const values: Promise<unknown>[] = [];
  let together: Gate[] = [];
  const sendTogether = async () => {
    const gates = together;
    together = [];
    try {
      const answers = await held.queryAll(gates.map(({ asked }) => asked));
      for (const [place, gate] of gates.entries()) gate.open(answers[place]);
    } catch (error) {
      for (const gate of gates) gate.refuse(error);
      throw error;
    }
  };
  for (const run of runs) {
    const gate = new Gate(held);
    const { value, isAll } = run(gate);
    // told in its turn
    value.catch(() => undefined);
    values.push(value);
    if (isAll) together.push(gate);
    else {
      try {
        if (together.length > 0) await sendTogether();
      } catch (error) {
        // what has begun must end
        gate.refuse(error);
        throw error;
      }
      gate.open();
      await value;
    }
  }
  if (together.length > 0) await sendTogether();
  return Promise.all(values);
}

/** Lets nothing through before it is opened. */
class Gate implements Held {
  asked: Query = { text: "", params: [] };
  readonly #held: Held;
  readonly #opened: Promise<QueryResult | undefined>;
  /** With the answer to what was asked, where somebody else has sent it. */
  open: (answer?: QueryResult) => void = () => undefined;
  refuse: (error: unknown) => void = () => undefined;

  constructor(held: Held) {
    this.#held = held;
    this.#opened = new Promise((resolve, reject) => {
      this.open = resolve;
      this.refuse = reject;
    });
    // of a run that waits for nothing
    this.#opened.catch(() => undefined);
  }

  readonly run: Held["run"] = (steps) => this.#opened.then(() => this.#held.run(steps));
  readonly queryAll: Held["queryAll"] = (queries) => this.#opened.then(() => this.#held.queryAll(queries));
  readonly query: Held["query"] = (text, params) => {
    this.asked = { text, params };
    return this.#opened.then((answer) => answer ?? this.#held.query(text, params));
  };
}
