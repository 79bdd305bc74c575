import { RepriseError } from "./errors.ts";

/** What something given is to have, by its name there; a dot goes into a member. */
type Members = Readonly<Record<string, "string" | "function">>;

/**
 * What types say, for callers whose types nobody has checked: without it the first use fails, much later and far away.
 * @param may may be left out
 * @throws REPRISE_BAD_DECLARATION that names all that is missing or something else
 */
export function checkGiven(where: string, given: unknown, needs: Members, may: Members = {}): void {
  const lacking = Object.entries({ ...needs, ...may })
    .filter(([member, kind]) => {
      const value = member.split(".").reduce<unknown>((of, name) => (of as Named | null | undefined)?.[name], given);
      return typeof value !== kind && !(value === undefined && member in may);
    })
    .map(([member, kind]) => `'${member}' (a ${kind})`);
  if (lacking.length === 0) return;
  const why = `it lacks ${lacking.join(", ")}.`;
  throw new RepriseError("REPRISE_BAD_DECLARATION", { where, why, mend: "Give it that." });
}

type Named = { readonly [name: string]: unknown };
