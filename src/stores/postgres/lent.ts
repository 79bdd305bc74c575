import type { UnderWay } from "../../base/under-way.ts";
import type { Connection } from "./driver.ts";

/** A connection that is out of its pool, and counted among those until it goes back. */
export class Lent {
  readonly connection: Connection;
  readonly #held: UnderWay<Lent>;
  #slot: number | undefined;

  constructor(connection: Connection, held: UnderWay<Lent>) {
    this.connection = connection;
    this.#held = held;
    this.#slot = held.add(this);
  }

  get isHeld(): boolean {
    return this.#slot !== undefined;
  }

  release(): void {
    this.#leave();
    this.connection.release();
  }

  /** Ends it: nobody knows what state it is in. */
  destroy(): void {
    this.#leave();
    this.connection.destroy();
  }

  #leave(): void {
    if (this.#slot !== undefined) this.#held.remove(this.#slot);
    this.#slot = undefined;
  }
}
