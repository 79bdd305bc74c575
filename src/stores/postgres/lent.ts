import type { UnderWay } from "../../base/under-way.ts";
import type { Connection } from "./driver.ts";

/** A connection that is out of its pool, and counted among those until it goes back. */
export class Lent {
  readonly connection: Connection;
  readonly #leave: () => boolean;
  #isHeld = true;

  constructor(connection: Connection, held: UnderWay<Lent>) {
    this.connection = connection;
    this.#leave = held.add(this);
  }

  get isHeld(): boolean {
    return this.#isHeld;
  }

  release(): void {
    this.#goBack();
    this.connection.release();
  }

  /** Ends it: nobody knows what state it is in. */
  destroy(): void {
    this.#goBack();
    this.connection.destroy();
  }

  #goBack(): void {
    this.#isHeld = false;
    this.#leave();
  }
}
