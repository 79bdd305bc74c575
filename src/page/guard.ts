import { saysForwarded } from "../base/forwarded.ts";

/**
 * Whether a request may start an incident: it comes from this machine, it asks for this machine by name (a foreign
 * name that resolves to it is how a web page reaches a local server), it was forwarded by nobody, and the page that
 * sent it is this one. Returns the reason against it; `undefined`: it may.
 */
export function reasonAgainst(request: Request, remoteAddress: string | undefined): string | undefined {
  const local = reasonAgainstPlace(request, remoteAddress);
  if (local !== undefined) return local;
  const host = hostOf(request);
  const origin = request.headers.get("origin");
  if (origin === null || (origin !== `http://${host}` && origin !== `https://${host}`)) {
    return "It was not sent by this page.";
  }
  const site = request.headers.get("sec-fetch-site");
  if (site !== null && site !== "same-origin") return "It was not sent by this page.";
  return undefined;
}

/** The part of it that a page can be told beforehand. */
export function reasonAgainstPlace(request: Request, remoteAddress: string | undefined): string | undefined {
  if (remoteAddress === undefined || !isLoopback(remoteAddress)) return "It did not come from this machine.";
  if ([...request.headers.keys()].some(saysForwarded)) return "It was forwarded.";
  if (!isLoopbackName(nameOf(hostOf(request)))) return "It asked for this machine under another name.";
  return undefined;
}

function hostOf(request: Request): string {
  return (request.headers.get("host") ?? new URL(request.url).host).toLowerCase();
}

function nameOf(host: string): string {
  return host.replace(/:\d+$/, "").replace(/^\[(.*)\]$/, "$1");
}

function isLoopbackName(name: string): boolean {
  return name === "localhost" || isLoopback(name);
}

function isLoopback(address: string): boolean {
  const mapped = address.toLowerCase().replace(/^::ffff:/, "");
  return mapped === "::1" || /^127(?:\.\d{1,3}){3}$/.test(mapped);
}
