/** Where a value is none of JSON's, so that whoever receives it would be told something else. */
export interface NotJson {
  readonly path: string;
  readonly kind: string;
}

/** `null`: all of it is JSON. Members that are `undefined` are left out, as `JSON.stringify` leaves them out. */
export function findNotJson(value: unknown): NotJson | null {
  return search(value, "", []);
}

function search(value: unknown, path: string, above: readonly object[]): NotJson | null {
  const refused = (kind: string): NotJson => ({ path: path === "" ? "(itself)" : path, kind });
  switch (typeof value) {
    case "string":
    case "boolean":
      return null;
    case "number":
      return Number.isFinite(value) ? null : refused("a number that is not finite");
    case "object":
      break;
    default:
      return refused(`a value of type ${typeof value}`);
  }
  if (value === null) return null;
  if (above.includes(value)) return refused("an object that holds itself");
  const within = [...above, value];
  if (Array.isArray(value)) {
    // also where there are holes
    for (let index = 0; index < value.length; index += 1) {
      const found = search(value[index], `${path}[${index}]`, within);
      if (found !== null) return found;
    }
    return null;
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  if ((prototype !== Object.prototype && prototype !== null) || "toJSON" in value)
    return refused("an instance of a class");
  for (const [name, member] of Object.entries(value)) {
    if (member === undefined) continue;
    const found = search(member, path === "" ? name : `${path}.${name}`, within);
    if (found !== null) return found;
  }
  return null;
}
