import { randomUUID } from "node:crypto";
import type { FastifyInstance } from "fastify";
import type { DatabasePool } from "../../database/pool.ts";
import { availabilityOf } from "../../database/queries.ts";
import { tokenOf } from "../../database/schema.ts";
import type { Gateway } from "../../gateway/client.ts";
import type { KillSwitch } from "./points.ts";

/**
 * The usual key table, as most write it: look whether the key is there, do the work, save the answer under the key. Each
 * attempt has its own key for the gateway and its own number for the booking. It dies at the same steps; where it has no
 * such step (nothing is claimed, put aside or pinned), at the same moment between its neighbours.
 */
export function mountKeyTable(app: FastifyInstance, database: DatabasePool, gateway: Gateway, kill: KillSwitch): void {
  app.post<{
    Body: { readonly reference: string; readonly workshop: string; readonly card: string; readonly user: string };
  }>("/plain-bookings", async (request, reply) => {
    const { reference, workshop, card, user } = request.body;
    if (request.headers.authorization !== `Bearer ${tokenOf(user)}`) return reply.code(403).send();
    const key = String(request.headers["idempotency-key"]);

    // check
    kill.at("claim: before");
    const [known] = await database.query("select response from idempotency_keys where key = ?", [key]);
    kill.at("claim: after");
    if (known !== undefined) return reply.code(201).send(JSON.parse(String(known["response"])));

    // work
    const availability = await availabilityOf(database, workshop, {});
    kill.at("seat put aside: inside its transaction");
    if (availability === null || availability.left === 0) return reply.code(409).send();
    kill.at("seat put aside: after");
    kill.at("start of the charge: before");
    kill.at("start of the charge: after");
    const charge = await gateway.charge({ reference, amountCents: 20_000, card }, randomUUID());
    if (charge.state === "declined") return reply.code(402).send();
    kill.at("pin: after");
    kill.at("booking's transaction: before");
    const number = `${reference}#${randomUUID()}`;
    const booking = database.write([
      {
        sql: "insert into bookings (reference, workshop_id, user, charge_id, booked_at) values (?, ?, ?, ?, ?)",
        values: [number, workshop, user, charge.id, new Date().toISOString()],
      },
    ]);
    kill.at("booking's transaction: inside");
    await booking;
    kill.at("booking's transaction: after");

    // save
    const response = { reference: number, workshop, chargeId: charge.id };
    kill.at("completion: before");
    await database.write([
      { sql: "insert or replace into idempotency_keys values (?, ?)", values: [key, JSON.stringify(response)] },
    ]);
    kill.at("completion: after, nobody told");
    return reply.code(201).send(response);
  });
}
