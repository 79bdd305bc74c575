import { isRepriseError } from "../base/errors.ts";

/**
 * Tells whoever runs this process that a message of another version keeps an outbox waiting, once for each form: the order
 * is kept, so what comes behind it waits too.
 */
export class OtherForms {
  readonly #outbox: string;
  readonly #told = new Set<number>();

  constructor(outbox: string) {
    this.#outbox = outbox;
  }

  /** Whether that is what the error says. */
  tell(error: unknown): boolean {
    if (!isRepriseError(error, "REPRISE_OUTBOX_FORM")) return false;
    const { message, form, own } = error.details;
    if (this.#told.has(form)) return true;
    this.#told.add(form);
    process.emitWarning(
      `Outbox '${this.#outbox}' waits behind message ${message}, which has form ${form}; this version of the library reads form ${own}. An instance of the other version goes on with it; where there is none, start one. This is said once.`,
      { code: "REPRISE_OUTBOX_FORM" },
    );
    return true;
  }
}
