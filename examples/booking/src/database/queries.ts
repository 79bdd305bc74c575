import type { Row } from "./driver.ts";
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
  with asked as (select w.* from json_each(?) listed join workshops w on w.id = listed.value),
  wanted as (
    select w.id, w.instructor,
      (select count(*) from bookings b where b.workshop_id = w.id)
      + (select coalesce(sum(h.seats), 0) from holds h where h.workshop_id = w.id) as demand
    from workshops w where w.instructor in (select instructor from asked)
  )
  select asked.id, asked.seats,
    asked.seats
      - (select count(*) from bookings b where b.workshop_id = asked.id and b.cancelled_at is null)
      - (select coalesce(sum(h.seats), 0) from holds h where h.workshop_id = asked.id and h.until > ?) as left_over,
    (select count(*) from wanted other
      where other.instructor = asked.instructor
        and other.demand > (select demand from wanted where id = asked.id)) + 1 as demand_rank
  from asked`;

/** `undefined`: there is no such workshop. */
export async function availabilityOf(
  database: DatabasePool,
  workshop: string,
  options: QueryOptions,
): Promise<Availability | undefined> {
  const [only] = await availabilityOfAll(database, [workshop], options);
  return only;
}

/** One query, whatever their number; in the order asked for. */
export async function availabilityOfAll(
  database: DatabasePool,
  workshops: readonly string[],
  options: QueryOptions,
): Promise<readonly (Availability | undefined)[]> {
  const rows = await database.query(availabilitySql, [JSON.stringify(workshops), Date.now()], options);
  const found = new Map(
    rows.map((row): [string, Availability] => [
      String(row["id"]),
      {
        workshop: String(row["id"]),
        seats: Number(row["seats"]),
        left: Math.max(0, Number(row["left_over"])),
        demandRank: Number(row["demand_rank"]),
      },
    ]),
  );
  return workshops.map((workshop) => found.get(workshop));
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
  return rows.map(workshopIn);
}

/** What has these letters in its title or its instructor's name, the most popular first. */
export async function searchWorkshops(
  database: DatabasePool,
  words: string,
  options: QueryOptions,
): Promise<readonly Workshop[]> {
  const rows = await database.query(
    `select w.id, w.title, i.name as instructor, w.price_cents
     from workshops w join instructors i on i.id = w.instructor
     where instr(lower(w.title || ' ' || i.name), ?) > 0
     order by w.popularity limit ?`,
    [words, pageSize],
    options,
  );
  return rows.map(workshopIn);
}

function workshopIn(row: Row): Workshop {
  return {
    id: String(row["id"]),
    title: String(row["title"]),
    instructor: String(row["instructor"]),
    priceCents: Number(row["price_cents"]),
  };
}

/** How often the workshop's page was looked at. */
export async function viewsOf(database: DatabasePool, workshop: string, options: QueryOptions): Promise<number> {
  const [row] = await database.query("select views from workshop_views where workshop_id = ?", [workshop], options);
  return Number(row?.["views"] ?? 0);
}

export interface Views {
  readonly workshop: string;
  readonly views: number;
  /** Rises with each count: an older one that is sent again after a crash must not overwrite a newer one. */
  readonly version: number;
}

/** All at once; one that is not newer than what is kept changes nothing. */
export async function saveViews(
  database: DatabasePool,
  counted: readonly Views[],
  options: QueryOptions,
): Promise<void> {
  await database.query(
    `insert into workshop_views (workshop_id, views, version)
     select value ->> 'workshop', value ->> 'views', value ->> 'version' from json_each(?) where true
     on conflict (workshop_id) do update set views = excluded.views, version = excluded.version
       where excluded.version > workshop_views.version`,
    [JSON.stringify(counted)],
    options,
  );
}

/** Two users may give their bookings the same reference. */
export async function findBooking(
  database: DatabasePool,
  user: string,
  reference: string,
  options: { readonly signal?: AbortSignal } = {},
): Promise<Booking | null> {
  const sql = "select * from bookings where user = ? and reference = ?";
  const [row] = await database.query(sql, [user, reference], options);
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

/** The bookings of a user in the order of their references, behind `after`. */
export async function bookingsOf(
  database: DatabasePool,
  user: string,
  after: string,
  limit: number,
  options: QueryOptions,
): Promise<readonly { readonly reference: string; readonly cancelled: boolean }[]> {
  const rows = await database.query(
    "select reference, cancelled_at from bookings where user = ? and reference > ? order by reference limit ?",
    [user, after, limit],
    options,
  );
  return rows.map((row) => ({ reference: String(row["reference"]), cancelled: row["cancelled_at"] !== null }));
}

/** Users by their bearer tokens. */
export async function readSessions(database: DatabasePool): Promise<ReadonlyMap<string, string>> {
  const rows = await database.query("select token, user from sessions");
  return new Map(rows.map((row) => [String(row["token"]), String(row["user"])]));
}
