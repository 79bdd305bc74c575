import { randomUUID } from "node:crypto";
import type { FastifyInstance } from "fastify";
import type { DatabasePool } from "../../database/pool.ts";
import { availabilityOf } from "../../database/queries.ts";
import { tokenOf } from "../../database/schema.ts";
import type { Gateway } from "../../gateway/client.ts";
import type { KillSwitch } from "../kill-switch.ts";
import type { Point } from "./points.ts";

/**
 * The usual key table, as most write it: look whether the key is there, do the work, save the answer under the key. Each
 * attempt has its own key for the gateway and its own number for the booking. It dies at the same steps; where it has no
 * such step (nothing is claimed, put aside or pinned), at the same moment between its neighbours.
 */
export async function mountKeyTable(
  app: FastifyInstance,
  database: DatabasePool,
  gateway: Gateway,
  kill: KillSwitch<Point>,
): Promise<void> {
  await database.query("create table if not exists idempotency_keys (key text primary key, response text not null)");
  app.post<{
    Body: { readonly reference: string; readonly workshop: string; readonly card: string; readonly user: string };
  }>("/plain-bookings", async (request, reply) => {
    const { reference, workshop, card, user } = request.body;
    if (request.headers.authorization !== `Bearer ${tokenOf(user)}`) return reply.code(403).send();
    const key = String(request.headers["idempotency-key"]);

    // check
    kill.at("claim: before it");
    const [known] = await database.query("select response from idempotency_keys where key = ?", [key]);
    kill.at("claim: taken, nothing done");
    if (known !== undefined) return reply.code(201).send(JSON.parse(String(known["response"])));

    // work
    const availability = await availabilityOf(database, workshop, {});
    kill.at("transaction: inside the one that puts the seat aside");
    if (availability === undefined || availability.left === 0) return reply.code(409).send();
    kill.at("transaction: after the one that puts the seat aside");
    kill.at("start: the charge is not recorded as begun");
    kill.at("start: the charge is recorded as begun, nothing sent");
    const charge = await gateway.charge({ reference, amountCents: 20_000, card }, randomUUID());
    if (charge.state === "declined") return reply.code(402).send();
    kill.at("pin: answer pinned, process killed after");
    kill.at("transaction: before the booking's");
    const number = `${reference}#${randomUUID()}`;
    const booking = database.query(
      "insert into bookings (user, reference, workshop_id, charge_id, booked_at) values (?, ?, ?, ?, ?)",
      [user, number, workshop, charge.id, new Date().toISOString()],
    );
    kill.at("transaction: inside the booking's");
    await booking;
    kill.at("transaction: after the booking's");

    // save
    const response = { reference: number, workshop, chargeId: charge.id };
    kill.at("completion: before it");
    // reprise: sound, it is what people write, and what this incident shows; a key's row has no other columns to lose
    await database.query("insert or replace into idempotency_keys values (?, ?)", [key, JSON.stringify(response)]);
    kill.at("completion: recorded, nobody told");
    return reply.code(201).send(response);
  });
}
