/** Where Sequelize and the others keep the error that theirs wraps. */
const wraps = ["original", "cause"] as const;
/** No mapper wraps deeper; an error that causes itself must not be followed forever. */
const deepest = 8;

/**
 * The database's own error inside what a mapper threw, as its driver made it: with `code` (PostgreSQL: the SQLSTATE) and
 * on MySQL and MariaDB `errno`. An error without such an inside is returned as it is. Prisma hands out the code alone:
 * it comes as an error around Prisma's.
 *
 * @example
 * if (databaseErrorOf(error).code === "40001") return again();
 */
export function databaseErrorOf(error: unknown): { readonly code?: unknown; readonly errno?: unknown } {
  let inner = error;
  for (let depth = 0; depth < deepest && isObject(inner); depth++) {
    const { code, driverError } = inner;
    // TypeORM copies the code to its own error, beside the query and its parameters
    if (isObject(driverError)) inner = driverError;
    else if ("clientVersion" in inner || "originalCode" in inner) return ofPrisma(inner) ?? inner;
    else if (typeof code === "string") return inner;
    else {
      const outer = inner;
      inner = wraps.map((name) => outer[name]).find(isObject);
    }
  }
  return isObject(error) ? error : {};
}

function ofPrisma(error: Fields) {
  const { meta } = error;
  // with a driver adapter, without one, and without the client around it
  const inside = isObject(meta) && isObject(meta["driverAdapterError"]) ? meta["driverAdapterError"]["cause"] : meta;
  const { originalCode, code } = isObject(inside) ? inside : error;
  const told = [originalCode, isObject(inside) ? code : undefined].find((told) => typeof told === "string");
  // "a write conflict or a deadlock": Prisma does not say which, and both are answered alike
  const known = told ?? (error["code"] === "P2034" ? "40001" : undefined);
  if (known === undefined) return null;
  return Object.assign(new Error(`database error ${known}`, { cause: error }), { code: known });
}

/** The fields that are read by name; no value is taken for granted. */
interface Fields extends Readonly<Record<string, unknown>> {
  readonly code?: unknown;
  readonly driverError?: unknown;
  readonly meta?: unknown;
  readonly originalCode?: unknown;
}

function isObject(value: unknown): value is Fields {
  return typeof value === "object" && value !== null;
}
