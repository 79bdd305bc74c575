import type { BookingChange } from "../../database/staging.ts";
import { createRandom } from "../../random.ts";

/**
 * Half a year of bookings' changes as they are delivered, week by week: some bookings change within their week and the older
 * version arrives last, some change weeks later, and some deliveries come twice.
 */

export interface Week {
  /** Days: the first of the week, and the first after it. */
  readonly from: string;
  readonly to: string;
  /** In the order of their arrival. */
  readonly deliveries: readonly BookingChange[];
}

const firstMonday = Date.UTC(2026, 0, 5);
const dayMs = 86_400_000;
/** Made in each week. */
const bookings = 60;
const changedAtOnce = 0.2;
const changedLater = 0.3;
const deliveredTwice = 0.1;

export function drawWeeks(count: number, seed: number): readonly Week[] {
  const random = createRandom(seed);
  const below = (limit: number) => Math.floor(random() * limit);
  const laterOn = new Map<number, BookingChange[]>();
  return Array.from({ length: count }, (_, week) => {
    const day = () => dayOf(week * 7 + below(7));
    const deliveries: BookingChange[] = [];
    for (let place = 0; place < bookings; place += 1) {
      const changedOn = day();
      const booked: BookingChange = {
        user: `visitor-${below(40) + 1}`,
        reference: `r-${week + 1}-${place + 1}`,
        workshop: `w-${String(below(200) + 1).padStart(3, "0")}`,
        ...{ bookedOn: changedOn, changedOn, seats: 1 + below(4), priceCents: 18_000 + 1_000 * below(40) },
        ...{ status: "booked", version: 1 },
      };
      const drawn = random();
      if (drawn < changedAtOnce) {
        // the newer one arrives first
        deliveries.push({ ...booked, seats: booked.seats + 1, version: 2 }, booked);
      } else {
        deliveries.push(booked);
        const when = week + 1 + below(8);
        if (drawn < changedAtOnce + changedLater && when < count) {
          const cancelled = {
            ...booked,
            changedOn: dayOf(when * 7 + below(7)),
            status: "cancelled",
            version: 2,
          } as const;
          laterOn.set(when, [...(laterOn.get(when) ?? []), cancelled]);
        }
      }
    }
    const all = [...deliveries, ...(laterOn.get(week) ?? [])];
    const again = all.filter(() => random() < deliveredTwice);
    return { from: dayOf(week * 7), to: dayOf(week * 7 + 7), deliveries: [...all, ...again] };
  });
}

function dayOf(day: number): string {
  return new Date(firstMonday + day * dayMs).toISOString().slice(0, 10);
}

export interface Range {
  readonly from: string;
  readonly to: string;
}

/** The months of these weeks, out of their order: a newer one is followed by an older one. */
export function monthsAgain(weeks: readonly Week[]): readonly Range[] {
  const months = [...new Set(weeks.map(({ from }) => from.slice(0, 7)))];
  const ranges = months.map((month) => {
    const [year = 0, number = 1] = month.split("-").map(Number);
    return { from: `${month}-01`, to: new Date(Date.UTC(year, number, 1)).toISOString().slice(0, 10) };
  });
  // every second one, then the others from the newest to the oldest
  return [...ranges.filter((_, at) => at % 2 === 0), ...ranges.filter((_, at) => at % 2 === 1).reverse()];
}
