import { sha256 } from "../../base/names.ts";
import { sqlState } from "./failure.ts";

/** Of a program that writes values into its texts the first so many would fill every session's memory, and help nothing. */
const atMost = 200;
/** The plan no longer fits what it returns, since a column was added; or the session does not know the name. */
const outdated: ReadonlySet<string | undefined> = new Set(["0A000", "26000"]);

/** Which statements of the user's a connection prepares: those that come again. */
export interface Preparing {
  /** Under which name; `undefined`: it is parsed each time. */
  readonly nameOf: (text: string) => string | undefined;
  /** A statement failed: where its preparation may be the reason, it is parsed anew from then on. */
  readonly failed: (text: string, error: unknown) => void;
}

export function preparing(): Preparing {
  const names = new Map<string, string | "seen once" | "parsed each time">();
  return {
    nameOf: (text) => {
      const known = names.get(text);
      if (known === undefined) {
        if (names.size < atMost) names.set(text, "seen once");
        return undefined;
      }
      if (known === "parsed each time") return undefined;
      if (known !== "seen once") return known;
      const name = `reprise_own_${sha256(text).slice(0, 20)}`;
      names.set(text, name);
      return name;
    },
    failed: (text, error) => {
      if (outdated.has(sqlState(error))) names.set(text, "parsed each time");
    },
  };
}
