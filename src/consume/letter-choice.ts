import { RepriseError } from "../base/errors.ts";
import { type DeadLetterReason, deadLetterReasons } from "../contract/source.ts";

/** Which of the dead letters are meant: all, unless it says less. */
export interface LetterChoice {
  readonly ids?: readonly string[] | undefined;
  readonly reason?: DeadLetterReason | undefined;
  /** At most so many, those set aside first. Default 1,000. */
  readonly most?: number | undefined;
}

const choiceNames: readonly (keyof LetterChoice)[] = ["ids", "reason", "most"];

/**
 * Whatever it does not know would narrow nothing: a slip in a name would mean all of them.
 * @throws REPRISE_BAD_DECLARATION
 */
export function checkChoice(source: string, choice: LetterChoice, known: readonly string[] = choiceNames): void {
  const refuse = (why: string, mend: string): never => {
    throw new RepriseError("REPRISE_BAD_DECLARATION", { where: `consumer of '${source}'`, why, mend });
  };
  const names = `There is: ${known.join(", ")}.`;
  if (typeof choice !== "object" || choice === null) refuse("dead letters are chosen by an object.", names);
  // an empty one has no properties
  const stranger = Array.isArray(choice) ? "a list" : Object.keys(choice).find((name) => !known.includes(name));
  if (stranger !== undefined) refuse(`dead letters are not chosen by '${stranger}' here.`, names);
  const { ids = [], reason, most = 1 } = choice;
  if (!Array.isArray(ids)) refuse("'ids' is no list.", "Give it one.");
  if (reason !== undefined && !deadLetterReasons.includes(reason)) {
    refuse("there is no such reason for a dead letter.", `There is: ${deadLetterReasons.join(", ")}.`);
  }
  if (!Number.isInteger(most) || most < 1) refuse("'most' is no whole number above zero.", "Give it one.");
}
