import type { Booking } from "../reprise.ts";

/** Counts a look at a workshop's page, and tells how many there were. Each is kept once this resolves. */
export type ViewCounter = (workshop: string) => Promise<number>;

/** The looks at one workshop are counted one after the other: two that read the same number would count once. */
export function createViewCounter(views: Booking["views"]): ViewCounter {
  const last = new Map<string, Promise<number>>();
  const count = async (workshop: string): Promise<number> => {
    const seen = (await views.get({ workshop })) + 1;
    await views.write({ workshop }, seen);
    return seen;
  };
  return (workshop) => {
    const before = last.get(workshop) ?? Promise.resolve(0);
    const counted = before.then(
      () => count(workshop),
      () => count(workshop),
    );
    last.set(workshop, counted);
    const forget = () => {
      if (last.get(workshop) === counted) last.delete(workshop);
    };
    counted.then(forget, forget);
    return counted;
  };
}
