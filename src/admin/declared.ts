import { RepriseError } from "../base/errors.ts";

/** The one of this name. @throws REPRISE_BAD_DECLARATION */
export function find<T extends { readonly name: string }>(
  kind: "load" | "schedule" | "consumer" | "outbox",
  declared: readonly T[],
  name: string,
): T {
  const found = declared.find((one) => one.name === name);
  if (found !== undefined) return found;
  throw new RepriseError("REPRISE_BAD_DECLARATION", {
    where: `${kind} '${name}'`,
    why: "it is not declared in this process.",
    mend: `There is: ${declared.map((one) => one.name).join(", ") || "none"}.`,
  });
}
