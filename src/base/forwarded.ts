/**
 * Whether a header of this name, in lower case, says that a proxy passed the request on: the address of the connection
 * is the proxy's then, and what the proxy says of the client may be the client's own invention.
 */
export function saysForwarded(name: string): boolean {
  return name === "forwarded" || name === "via" || name === "x-real-ip" || name.startsWith("x-forwarded-");
}
