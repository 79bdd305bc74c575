import type { DatabasePool, QueryOptions } from "./pool.ts";

/** What the platform reads. */

export type Workshop = {
  readonly id: string;
  readonly title: string;
  readonly instructor: string;
  readonly priceCents: number;
};
export type Availability = {
  readonly workshop: string;
  readonly seats: number;
  readonly left: number;
  /** Of the instructor's workshops, how often this one was asked for: first is 1. */
  readonly demandRank: number;
};
export type Booking = {
  readonly reference: string;
  readonly workshop: string;
  readonly user: string;
  readonly chargeId: string;
  readonly bookedAt: string;
  readonly cancelled: boolean;
};

/** Seats less bookings less what is put aside, and how wanted the workshop is among its instructor's: joins and sums. */
const availabilitySql = `
  with mine as (select * from workshops where id = ?),
  wanted as (
    select w.id,
      (select count(*) from bookings b where b.workshop_id = w.id)
      + (select coalesce(sum(h.seats), 0) from holds h where h.workshop_id = w.id) as demand
    from workshops w join mine on w.instructor = mine.instructor
  )
  select mine.id, mine.seats,
    mine.seats
      - (select count(*) from bookings b where b.workshop_id = mine.id and b.cancelled_at is null)
      - (select coalesce(sum(h.seats), 0) from holds h where h.workshop_id = mine.id and h.until > ?) as left_over,
    (select count(*) from wanted where demand > (select demand from wanted where id = mine.id)) + 1 as demand_rank
  from mine`;

export async function availabilityOf(
  database: DatabasePool,
  workshop: string,
  options: QueryOptions,
): Promise<Availability | null> {
  const [row] = await database.query(availabilitySql, [workshop, Date.now()], options);
  if (row === undefined) return null;
  return {
    workshop,
    seats: Number(row["seats"]),
    left: Math.max(0, Number(row["left_over"])),
    demandRank: Number(row["demand_rank"]),
  };
}

const pageSize = 50;

/** The most popular first; page 1 is the first, and one after the last is empty. */
export async function listWorkshops(
  database: DatabasePool,
  page: number,
  options: QueryOptions,
): Promise<readonly Workshop[]> {
  const rows = await database.query(
    `select w.id, w.title, i.name as instructor, w.price_cents
     from workshops w join instructors i on i.id = w.instructor
     order by w.popularity limit ? offset ?`,
    [pageSize, (page - 1) * pageSize],
    options,
  );
  return rows.map((row) => ({
    id: String(row["id"]),
    title: String(row["title"]),
    instructor: String(row["instructor"]),
    priceCents: Number(row["price_cents"]),
  }));
}

/** Two users may give their bookings the same reference. */
export async function findBooking(database: DatabasePool, user: string, reference: string): Promise<Booking | null> {
  const [row] = await database.query("select * from bookings where user = ? and reference = ?", [user, reference]);
  if (row === undefined) return null;
  return {
    reference,
    workshop: String(row["workshop_id"]),
    user: String(row["user"]),
    chargeId: String(row["charge_id"]),
    bookedAt: String(row["booked_at"]),
    cancelled: row["cancelled_at"] !== null,
  };
}

/** Users by their bearer tokens. */
export async function readSessions(database: DatabasePool): Promise<ReadonlyMap<string, string>> {
  const rows = await database.query("select token, user from sessions");
  return new Map(rows.map((row) => [String(row["token"]), String(row["user"])]));
}
