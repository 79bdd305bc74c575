export { type Administration, administer, type Ending, type Knowledge, type Shown } from "./administration.ts";
export type { Choice } from "./choices.ts";
export type {
  ConsumerAdministration,
  LetterChoice,
  LetterCounts,
  Parked,
  ShownConsumer,
  ShownLetter,
  ShownLetters,
} from "./consumers.ts";
export type { LoadAdministration, ShownLoad } from "./loads.ts";
export type { OutboxAdministration, ShownOutbox } from "./outboxes.ts";
export type { ScheduleAdministration, ShownSchedule } from "./schedules.ts";
export type { SucceededTwice, TwiceOptions } from "./twice.ts";
