/** What is known of one partition while it is this receiver's. */
export class Partition {
  readonly number: number;
  /** Before it, somebody may have been handed messages. */
  readonly suspectUntil: bigint;
  /** The next one to be received. */
  position: bigint;
  /** Written with what is committed: up to here messages may be handed out. */
  noted: bigint;
  /** What was received and is not all committed, in the partition's order. */
  readonly #open: { readonly offset: bigint; isDone: boolean }[] = [];
  readonly #byOffset = new Map<bigint, { isDone: boolean }>();
  #committable: bigint;

  constructor(number: number, position: bigint, suspectUntil: bigint) {
    this.number = number;
    this.position = position;
    this.suspectUntil = suspectUntil;
    this.noted = suspectUntil > position ? suspectUntil : position;
    this.#committable = position;
  }

  /** All before it is done. */
  get committable(): bigint {
    return this.#committable;
  }

  begin(offset: bigint): void {
    const one = { offset, isDone: false };
    this.#open.push(one);
    this.#byOffset.set(offset, one);
    this.position = offset + 1n;
  }

  /** Whether more may be committed now: what is done behind something that is not has to wait for it. */
  end(offset: bigint): boolean {
    const ended = this.#byOffset.get(offset);
    if (ended === undefined) return false;
    ended.isDone = true;
    let count = 0;
    for (const { offset: first, isDone } of this.#open) {
      if (!isDone) break;
      count += 1;
      this.#committable = first + 1n;
      this.#byOffset.delete(first);
    }
    this.#open.splice(0, count);
    return count > 0;
  }
}

const form = "reprise ";

/** What stands with a committed offset: up to where messages may have been handed out. */
export function encodeNote(noted: bigint): string {
  return form + noted;
}

/** `null`: it is none of this library's. */
export function decodeNote(metadata: string | null): bigint | null {
  const digits = metadata?.startsWith(form) ? metadata.slice(form.length) : "";
  return /^\d+$/.test(digits) ? BigInt(digits) : null;
}
