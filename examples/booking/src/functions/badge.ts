import type { DatabasePool } from "../database/pool.ts";
import { findBooking } from "../database/queries.ts";
import { renderBadgeSchema } from "../inputs.ts";
import type { Service } from "../service.ts";

/** What somebody wears at a workshop, made of their booking. */
export function declareBadge(reprise: Service, database: DatabasePool) {
  const renderBadge = reprise.operation({
    name: "badge.render",
    owner: "events-team",
    input: renderBadgeSchema,
    ifRunsAgain: "replays",
    costIfTwice: "noise", // rendering it again costs a second of a processor
    principal: (input) => input.user,
    identity: (input) => [input.reference],
    retention: "7d",
    effects: "external",
    refusals: { "no-such-booking": { status: 404, because: "There is no such booking, or it is cancelled." } },
    run: async ({ input, signal, refuse }) => {
      const booking = await findBooking(database, input.user, input.reference, { signal });
      if (booking === null || booking.cancelled) throw refuse("no-such-booking");
      return badgeOf(booking.user, booking.workshop);
    },
  });
  return { renderBadge };
}

/** An SVG. Names come from the database and still are made harmless: a badge is opened in a browser. */
function badgeOf(user: string, workshop: string): string {
  const text = (words: string) => words.replace(/[^\p{L}\p{N} .-]/gu, "");
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 320 180" font-family="sans-serif" text-anchor="middle">`,
    `<rect width="320" height="180" rx="12" fill="#fff" stroke="#222" stroke-width="2"/>`,
    `<text x="160" y="95" font-size="36">${text(user)}</text>`,
    `<text x="160" y="140" font-size="20">${text(workshop)}</text></svg>`,
  ].join("");
}
