/** Tells whoever asked that something has ended. Costs nothing where nobody does. */
export class Ended {
  #waiting: (() => void)[] | undefined;

  /** Asked for before the end. */
  promise(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting ??= [];
      this.#waiting.push(resolve);
    });
  }

  tell(): void {
    for (const resolve of this.#waiting ?? []) resolve();
    this.#waiting = undefined;
  }
}
