import { createHash, timingSafeEqual } from "node:crypto";
import { type Administration, administer } from "../admin/administration.ts";
import { decide, decisionIn } from "../admin/decision.ts";
import { defaults } from "../base/defaults.ts";
import { RepriseError } from "../base/errors.ts";
import { withDeadline } from "../base/promise.ts";
import type { Inside } from "../observe/inside.ts";
import { json, refused } from "./answers.ts";
import { reasonAgainst, reasonAgainstPlace } from "./guard.ts";
import { runAnswer } from "./runs.ts";
import type { AdministrationAnswer } from "./wire.ts";

/** What a person decides through the page: only with the token, from this machine, sent by this page. */
export interface Deciding {
  /** Whether a request that comes the way this one came may decide, apart from its token. */
  readonly may: (request: Request, remoteAddress: string | undefined) => AdministrationAnswer;
  /** 204: the token is the right one. */
  readonly unlock: (request: Request, remoteAddress: string | undefined) => Response;
  /** What a request that may act brings, or the answer that refuses it. */
  readonly bodyFrom: (
    request: Request,
    remoteAddress: string | undefined,
  ) => Promise<Readonly<Record<string, unknown>> | Response>;
  /** Answers with the run as it stands after it. */
  readonly decide: (id: string, request: Request, remoteAddress: string | undefined) => Promise<Response>;
}

/** @throws REPRISE_BAD_DECLARATION for a token that could be guessed, or that no header can carry */
export function decidingOf(reprise: { readonly "~inside": Inside }, token: string | undefined): Deciding {
  const inside = reprise["~inside"];
  const isToken = token === undefined ? undefined : tokenTest(token);
  const administration = administer(reprise);

  const against = (request: Request, remoteAddress: string | undefined): Response | undefined => {
    if (isToken === undefined)
      return refused(403, "read-only", `Nothing was changed: the page is read-only. ${readOnly}`);
    const reason = reasonAgainst(request, remoteAddress);
    if (reason !== undefined) return refused(403, "forbidden", `Nothing was changed. ${reason}`);
    const [, given] = /^Bearer +(\S+)$/i.exec(request.headers.get("authorization") ?? "") ?? [];
    if (given !== undefined && isToken(given)) return undefined;
    const what = given === undefined ? "The request carries no token." : "The token is another one.";
    return refused(403, "token", `Nothing was changed. ${what}`);
  };

  const bodyFrom: Deciding["bodyFrom"] = async (request, remoteAddress) =>
    against(request, remoteAddress) ?? bodyOf(inside, request);

  return {
    may: (request, remoteAddress) => {
      if (isToken === undefined) return { v: 1, decides: "nowhere", why: readOnly };
      const reason = reasonAgainstPlace(request, remoteAddress);
      return reason === undefined
        ? { v: 1, decides: "here", why: null }
        : { v: 1, decides: "elsewhere", why: `Only from the machine that the service runs on. ${reason}` };
    },
    unlock: (request, remoteAddress) => against(request, remoteAddress) ?? json({ v: 1 }),
    bodyFrom,
    decide: async (id, request, remoteAddress) => {
      const body = await bodyFrom(request, remoteAddress);
      return body instanceof Response ? body : carryOut(inside, administration, id, body);
    },
  };
}

const readOnly = "Decisions are carried out once pageHandler is given a token.";

async function carryOut(
  inside: Inside,
  administration: Administration,
  id: string,
  body: Readonly<Record<string, unknown>>,
): Promise<Response> {
  const decision = decisionIn(body);
  if (decision === undefined) return refused(400, "decision", "Nothing was changed. This is no decision.");
  const { who = "", why = "" } = body;
  const note = { who: String(who), why: String(why) };
  const late = new Late();
  const decided = decide(administration, id, decision, note);
  try {
    const shown = await withDeadline(inside.clock(), defaults.page.decideMs, decided, () => late);
    return json(runAnswer(inside, shown));
  } catch (error) {
    if (error !== late) throw error;
    return refused(
      503,
      "late",
      `The ledger gave no answer in ${defaults.page.decideMs / 1_000} s, so the decision may have been carried out all the same. Look at the run again.`,
    );
  }
}

class Late extends Error {}

/** As long for a right token as for a wrong one, wherever they differ. */
function tokenTest(token: string): (given: string) => boolean {
  const { tokenMinLength } = defaults.page;
  const refuse = (why: string): never => {
    throw new RepriseError("REPRISE_BAD_DECLARATION", {
      where: "pageHandler, token",
      why,
      mend: `Make a random one of at least ${tokenMinLength} characters: openssl rand -hex 16.`,
    });
  };
  if (typeof token !== "string" || token.length < tokenMinLength) {
    refuse(`it has fewer than ${tokenMinLength} characters, so it could be guessed.`);
  }
  if (!/^[\x21-\x7e]+$/.test(token)) refuse("it has characters that a header does not carry.");
  const expected = digest(token);
  return (given) => timingSafeEqual(digest(given), expected);
}

const digest = (text: string): Buffer => createHash("sha256").update(text).digest();

/** The object that the request brings, or the answer that says why it brings none. */
async function bodyOf(inside: Inside, request: Request): Promise<Readonly<Record<string, unknown>> | Response> {
  const none = (status: number, why: string) => refused(status, "body", `Nothing was changed. ${why}`);
  // a form of another site can send any other kind without asking
  if (!/^application\/json\b/i.test(request.headers.get("content-type") ?? "")) return none(415, "Send it as JSON.");
  const text = await withDeadline(inside.clock(), defaults.page.decideMs, boundedText(request), () => new Late()).catch(
    () => undefined,
  );
  if (text === undefined)
    return none(413, `The request is larger than ${defaults.http.bodyLimitBytes} bytes, or broke off.`);
  try {
    const body: unknown = JSON.parse(text);
    if (typeof body === "object" && body !== null) return body as Record<string, unknown>;
  } catch {
    // the parser's own words would repeat a part of it
  }
  return none(400, "The request is no JSON object.");
}

/** `undefined`: it is too large. */
async function boundedText(request: Request): Promise<string | undefined> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of request.body ?? []) {
    size += chunk.byteLength;
    if (size > defaults.http.bodyLimitBytes) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}
