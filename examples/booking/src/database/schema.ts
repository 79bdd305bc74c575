import { createRandom } from "../random.ts";
import { customerTables } from "./customers.ts";
import { type Database, inTransaction } from "./driver.ts";
import { type BookingChange, factTable, stage, stagingTables } from "./staging.ts";

export const workshopCount = 200;
export const workshopIds: readonly string[] = Array.from({ length: workshopCount }, (_, at) => workshopId(at));

const tables = `
  create table if not exists instructors (id text primary key, name text not null);
  create table if not exists workshops (
    id text primary key, title text not null, instructor text not null references instructors(id),
    seats integer not null, price_cents integer not null, popularity integer not null
  );
  create index if not exists workshops_by_instructor on workshops(instructor);
  create table if not exists bookings (
    user text not null, reference text not null, workshop_id text not null references workshops(id),
    charge_id text not null, booked_at text not null, cancelled_at text,
    primary key (user, reference)
  );
  create index if not exists bookings_by_workshop on bookings(workshop_id, cancelled_at);
  create table if not exists holds (
    id integer primary key, workshop_id text not null references workshops(id), seats integer not null, until integer not null,
    user text, reference text
  );
  create index if not exists holds_by_workshop on holds(workshop_id, until);
  create index if not exists holds_by_booking on holds(user, reference);
  create table if not exists workshop_views (
    workshop_id text primary key references workshops(id), views integer not null, version integer not null
  );
  create table if not exists sessions (token text primary key, user text not null);
`;

/** Who may log in: two people to try it with, and the visitors of the load. */
export const people: readonly string[] = [
  "alice",
  "bob",
  ...Array.from({ length: 40 }, (_, at) => `visitor-${at + 1}`),
];

/** A demonstration's token: nothing is secret here. */
export const tokenOf = (user: string): string => `${user}-token`;

/** Creates what is missing; a database that has workshops is left as it is. */
export function prepareDatabase(database: Database): void {
  const [before] = database.prepare("select count(*) as columns from pragma_table_info('holds')").all();
  const [known] = database.prepare("select 1 from pragma_table_info('holds') where name = 'user'").all();
  if (Number(before?.["columns"]) > 0 && known === undefined) {
    throw new Error("The data is of an earlier version of the platform. Forget it: npm start -- --fresh");
  }
  database.exec(tables + stagingTables + factTable + customerTables);
  const [counted] = database.prepare("select count(*) as count from workshops").all();
  if (Number(counted?.["count"]) > 0) return;
  inTransaction(database, () => seed(database));
}

/** The same data on every machine: instructors, workshops, a year of bookings and of seats once put aside. */
function seed(database: Database): void {
  const random = createRandom(2024);
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)] as T;

  const instructor = database.prepare("insert into instructors (id, name) values (?, ?)");
  const instructors = Array.from({ length: 40 }, (_, at) => `i-${at + 1}`);
  for (const [at, id] of instructors.entries()) instructor.all(id, `${pick(firstNames)} ${lastNames[at % 20] ?? ""}`);

  const workshop = database.prepare("insert into workshops values (?, ?, ?, ?, ?, ?)");
  const booking = database.prepare("insert into bookings values (?, ?, ?, ?, ?, ?)");
  const hold = database.prepare("insert into holds (workshop_id, seats, until) values (?, ?, ?)");
  const now = Date.now();
  const history: BookingChange[] = [];
  for (let at = 0; at < workshopCount; at += 1) {
    const id = workshopId(at);
    const seats = 12 + Math.floor(random() * 28);
    const title = `${pick(manners)} ${pick(subjects)}`;
    const priceCents = 18_000 + 1_000 * Math.floor(random() * 40);
    workshop.all(id, title, pick(instructors), seats, priceCents, at + 1);
    for (let n = 0; n < 60; n += 1) {
      const booked = new Date(now - random() * 365 * 86_400_000).toISOString();
      // most of a year's bookings were of earlier dates and are settled; a few hold a seat of the next one
      const cancelled = n < seats / 3 && n < 14 ? null : booked;
      booking.all(`guest-${n}`, `seed-${id}-${n}`, id, `seed-charge-${id}-${n}`, booked, cancelled);
      const bookedOn = booked.slice(0, 10);
      const change = { user: `guest-${n}`, reference: `seed-${id}-${n}`, workshop: id, bookedOn, seats: 1, priceCents };
      history.push({ ...change, changedOn: bookedOn, status: "booked", version: 1 });
      if (cancelled !== null) history.push({ ...change, changedOn: bookedOn, status: "cancelled", version: 2 });
    }
    for (let n = 0; n < 60; n += 1)
      hold.all(id, 1, now - Math.floor(random() * 86_400_000) + (n === 0 ? 172_800_000 : 0));
  }

  stage(database, history);

  const session = database.prepare("insert into sessions values (?, ?)");
  for (const user of people) session.all(tokenOf(user), user);
}

function workshopId(at: number): string {
  return `w-${String(at + 1).padStart(3, "0")}`;
}

const firstNames = ["Ada", "Ben", "Chloé", "Dmitri", "Elif", "Farah", "Goran", "Hana", "Iker", "Jun", "Kofi", "Lena"];
const lastNames = [
  "Ahmed",
  "Berger",
  "Castro",
  "Dubois",
  "Eriksen",
  "Fischer",
  "García",
  "Huber",
  "Ivanova",
  "Jansen",
  "Kovač",
  "Lindqvist",
  "Moreau",
  "Novák",
  "Okafor",
  "Petrov",
  "Quinn",
  "Rossi",
  "Sato",
  "Tanaka",
];
const manners = ["Practical", "Advanced", "Everyday", "Hands-on", "Honest", "A first look at"];
const subjects = [
  "negotiation",
  "data modelling",
  "public speaking",
  "incident response",
  "bookkeeping",
  "pottery",
  "interviewing",
  "typography",
  "contract law",
  "wood joinery",
  "facilitation",
  "statistics",
];
