import type { SqsBatch, SqsBatchAnswer } from "./shapes.ts";

/** A request holds so many. */
const most = 10;

/** What is asked one by one, in requests of ten: those of one turn of the event loop go together. */
export class Batches<Entry extends object> {
  readonly #queueUrl: string;
  readonly #request: (batch: SqsBatch) => Promise<SqsBatchAnswer>;
  #waiting: {
    readonly entry: Entry;
    readonly resolve: (code: string | null) => void;
    readonly reject: (error: unknown) => void;
  }[] = [];

  constructor(queueUrl: string, request: (batch: SqsBatch) => Promise<SqsBatchAnswer>) {
    this.#queueUrl = queueUrl;
    this.#request = request;
  }

  /** `null`: it is done; otherwise the code with which it was refused. Rejects where nobody knows. */
  add(entry: Entry): Promise<string | null> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ entry, resolve, reject });
      if (this.#waiting.length === 1) setImmediate(() => this.#send());
      else if (this.#waiting.length === most) this.#send();
    });
  }

  #send(): void {
    const sent = this.#waiting.splice(0);
    if (sent.length === 0) return;
    const Entries = sent.map(({ entry }, index) => ({ ...entry, Id: String(index) }));
    this.#request({ QueueUrl: this.#queueUrl, Entries }).then(
      ({ Failed = [] }) => {
        const refused = new Map(Failed.map(({ Id, Code }) => [Id, Code]));
        for (const [index, { resolve }] of sent.entries()) {
          const id = String(index);
          resolve(refused.has(id) ? (refused.get(id) ?? "unknown") : null);
        }
      },
      (error: unknown) => {
        for (const { reject } of sent) reject(error);
      },
    );
  }
}
