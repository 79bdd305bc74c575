import { RepriseError } from "./errors.ts";

/** What something given is to have, by its name there; a dot goes into a member. */
type Members = Readonly<Record<string, "text" | "function">>;

/**
 * What types say, for callers whose types nobody has checked: without it the first use fails, much later and far away.
 * @param may may be left out
 * @throws REPRISE_BAD_DECLARATION that names all that is missing or something else
 */
export function checkGiven(where: string, given: unknown, needs: Members, may: Members = {}): void {
  const lacks = (members: Members, isOptional: boolean) =>
    Object.entries(members).filter(([member, kind]) => {
      const value = memberOf(given, member);
      return !(isOptional && value === undefined) && typeof value !== (kind === "text" ? "string" : kind);
    });
  const lacking = [...lacks(needs, false), ...lacks(may, true)];
  if (lacking.length === 0) return;
  const named = lacking.map(([member, kind]) => `'${member}' (a ${kind})`).join(", ");
  throw new RepriseError("REPRISE_BAD_DECLARATION", { where, why: `it lacks ${named}.`, mend: "Give it that." });
}

function memberOf(given: unknown, member: string): unknown {
  return member
    .split(".")
    .reduce((of, name) => (of as Partial<Record<string, unknown>> | null | undefined)?.[name], given);
}
