import { RepriseError } from "./errors.ts";

/** What a scope or an identity is made of; each kind is encoded apart, so `1` and `"1"` never meet. */
export type Scalar = string | number | bigint | boolean;

/**
 * Refuses what is no scalar. `undefined` is an optional part of a scope that was left out.
 * @throws REPRISE_BAD_SCALAR
 */
export function checkScalar(value: unknown, where: string): Scalar | undefined {
  switch (typeof value) {
    case "string":
    case "bigint":
    case "boolean":
    case "undefined":
      return value;
    case "number":
      if (Number.isFinite(value)) return value;
      throw new RepriseError("REPRISE_BAD_SCALAR", { where, kind: "not a finite number" });
    default:
      throw new RepriseError("REPRISE_BAD_SCALAR", {
        where,
        kind: value === null ? "null" : `of type ${typeof value}`,
      });
  }
}

export function isScalar(value: unknown): value is Scalar {
  return ["string", "bigint", "boolean"].includes(typeof value) || Number.isFinite(value);
}

/**
 * Encodes scalars injectively: different inputs never meet, whatever the strings contain. JSON escapes quotes, control
 * characters and lone surrogates (ECMA-262, well-formed JSON.stringify); a bigint stands in an array of its own, which
 * no other scalar does, and a part left out is `null`. `-0` and `0` are the same number.
 *
 * @throws REPRISE_BAD_SCALAR
 * @example
 * encodeScalars(["a", 1, "1", 1n, true, undefined], "identity") // ["a",1,"1",["1"],true,null]
 */
export function encodeScalars(values: readonly unknown[], where: string): string {
  return JSON.stringify(
    values.map((value) => {
      const scalar = checkScalar(value, where);
      return typeof scalar === "bigint" ? [scalar.toString()] : (scalar ?? null);
    }),
  );
}
