import type { Dialect } from "../dialect.ts";
import { RepeatedKey } from "../rows.ts";
import { apply, preview } from "./apply.ts";
import { misfits, source, target } from "./catalogue.ts";
import { resultCode } from "./stage.ts";
import { statements } from "./statements.ts";
import { compare, cut, survey } from "./survey.ts";

const busy = 5;
/** Of a table, a column or a key that is not there, among others. */
const noSuch = 1;

/** The driver answers in this thread, and a window's rows are read in one statement: so many take some tens of milliseconds. */
const mostRows = 10_000;

export const sqliteDialect: Dialect = {
  name: "sqlite",
  mostRows,
  ...{ target, source, misfits, statements },
  ...{ survey, cut, apply, preview, compare },
  isConflict: (error) => (resultCode(error) & 0xff) === busy,
  mayBeRefused: (error) => error instanceof RepeatedKey || resultCode(error) === noSuch,
};
