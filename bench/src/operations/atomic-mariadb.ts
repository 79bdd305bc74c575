import { createHash, randomBytes } from "node:crypto";
import mysql, { type Pool, type ResultSetHeader } from "mysql2/promise";
import { createReprise, unchecked } from "reprise";
import { mysqlLedger } from "reprise/mysql";
import type { Figure } from "../figure.ts";
import { type Booking, confirm, nextBooking } from "./booking.ts";
import { contest } from "./contest.ts";
import { askMariadb, mariadbServer as server } from "./mariadb-place.ts";
import { namings, type Way } from "./postgres-ways.ts";
import { type Part, rate, ratio, standing, traffic, whereIs } from "./standing.ts";
import { countingProxy } from "./wire.ts";

/** Claim, work and outcome in one transaction of MariaDB, or of MySQL: by MYSQL_HOST and MYSQL_PORT, else of this machine. */
export const atomicMariadb: Part = (rounds) => whereIs("MariaDB", askMariadb, () => measure(rounds));

const name = "atomic.mariadb";
const poolSize = 16;

async function measure(rounds: number): Promise<readonly Figure[]> {
  const database = `reprise_bench_${randomBytes(6).toString("hex")}`;
  const admin = await mysql.createConnection(server);
  await admin.query(`create database ${database}`);
  await admin.query(`create table ${database}.booking (id bigint auto_increment primary key,
    reference varchar(64) not null, seat int not null)`);
  await admin.query(`create table ${database}.handwritten (name varchar(64) primary key, response text,
    created_at timestamp not null default current_timestamp)`);
  try {
    const pool = mysql.createPool({ ...server, database, connectionLimit: poolSize });
    const ways = await waysOf(pool);
    const contestants = Object.entries(ways.of).map(([way, book]) => ({ name: way, once: () => book(nextBooking()) }));
    const results = await contest(contestants, { clients: poolSize, rounds, sliceMs: 500 });
    await ways.close();
    await pool.end();

    const proxy = await countingProxy("mysql", server);
    const one = mysql.createPool({ ...server, host: "127.0.0.1", port: proxy.port, database, connectionLimit: 1 });
    const counted = await waysOf(one);
    const figures = [
      ...standing(results, name, { of: ["reprise", "handWritten"], goal: 0.9 }),
      ratio(`${name}.twoNames.ofHandWritten`, results.ofRate("twoNames", "handWritten")),
      ratio(`${name}.record.ofHandWritten`, results.ofRate("record", "handWritten")),
      ...standing(results, name, { of: ["reprise", "bare"] }),
      rate(name, results.perSecond("reprise")),
      rate(`${name}.handWritten`, results.perSecond("handWritten")),
      rate(`${name}.bare`, results.perSecond("bare")),
      ...traffic(name, await proxy.trafficOf(() => counted.of.reprise(nextBooking()))),
      ...traffic(`${name}.handWritten`, await proxy.trafficOf(() => counted.of.handWritten(nextBooking()))),
      ...traffic(`${name}.bare`, await proxy.trafficOf(() => counted.of.bare(nextBooking()))),
    ];
    await counted.close();
    await one.end();
    await proxy.close();
    return figures;
  } finally {
    await admin.query(`drop database ${database}`);
    await admin.end();
  }
}

type Query = (text: string, values: (string | number)[]) => Promise<ResultSetHeader>;

async function transact<T>(pool: Pool, work: (query: Query) => Promise<T>): Promise<T> {
  const connection = await pool.getConnection();
  try {
    await connection.beginTransaction();
    const value = await work(async (text, values) => (await connection.query<ResultSetHeader>(text, values))[0]);
    await connection.commit();
    return value;
  } catch (error) {
    await connection.rollback();
    throw error;
  } finally {
    connection.release();
  }
}

const work = "insert into booking (reference, seat) values (?, ?)";

async function waysOf(pool: Pool) {
  const reprise = createReprise({ service: "bench", undecided: "listed", ledger: mysqlLedger({ pool }) });
  const book = reprise.operation({
    name: "seat.book",
    input: unchecked<Booking>(),
    principal: "everyone",
    identity: (input) => [input.reference],
    retention: "1d",
    effects: "database",
    run: async ({ input, tx }) => {
      await tx.query(work, [input.reference, input.seat]);
      return confirm(input);
    },
  });
  await reprise.start();

  const bare: Way = (booking) =>
    transact(pool, async (query) => {
      await query(work, [booking.reference, booking.seat]);
      return confirm(booking);
    });
  const handWritten: Way = (booking) =>
    transact(pool, async (query) => {
      const { reference, seat } = booking;
      // reprise: sound, the name is short and all there is: nothing but a duplicate can be swallowed
      const claimed = await query("insert ignore into handwritten (name) values (?)", [reference]);
      if (claimed.affectedRows === 0) throw new Error("this key was there before");
      await query(work, [reference, seat]);
      const confirmation = confirm(booking);
      await query("update handwritten set response = ? where name = ?", [JSON.stringify(confirmation), reference]);
      return confirmation;
    });
  return { of: { bare, handWritten, record: record(pool), ...namings(book) }, close: () => reprise.close() };
}

/** The limit: what the ledger keeps of it, by the driver alone, in as few trips. */
function record(pool: Pool): Way {
  const clock = "cast(unix_timestamp(now(6)) * 1000000 as signed)";
  const claim = `insert into reprise_work (name, print, print_version, keep_until, created_at, operation, identity, principal,
    owner, attempt, state) values (?, ?, 1, ${clock} + 86400000000, ${clock}, 'seat.book', ?, 'everyone', 'host-1234-abcd', ?, 'd')`;
  const keep = `update reprise_work set outcome = ?, refused = 0, ended_at = ${clock} where name = ? and attempt = ?`;
  return async (booking) => {
    const { reference, seat } = booking;
    const print = createHash("sha256").update(reference).digest("hex");
    const name = Buffer.from(print.slice(0, 32), "hex");
    const attempt = randomBytes(16);
    const connection = await pool.getConnection();
    try {
      await connection.query(`begin not atomic start transaction; ${claim}; end`, [name, print, reference, attempt]);
      await connection.query(work, [reference, seat]);
      const confirmation = confirm(booking);
      const values = [JSON.stringify(confirmation), name, attempt];
      await connection.query(`begin not atomic ${keep}; commit; end`, values);
      connection.release();
      return confirmation;
    } catch (error) {
      connection.destroy();
      throw error;
    }
  };
}
