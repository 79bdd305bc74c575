import { fileKeys } from "../../src/client/file-keys.ts";
import { createIdempotentFetch } from "../../src/client/index.ts";

/** One of the processes of client.test.ts. It tells by message what it got. */

const [task = "", folder = "", subject = "", name = ""] = process.argv.slice(2);
const keys = fileKeys({ folder });

async function order(): Promise<unknown> {
  const request = createIdempotentFetch({ keys });
  const response = await request(subject, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ user: "alice", reference: "r1" }),
    intent: "order-4711",
  });
  return [response.status, response.headers.get("idempotency-replayed"), await response.text()];
}

/** Puts a key of its own for each intent, and tells which is kept. */
async function race(): Promise<unknown> {
  const count = Number(subject);
  const told: string[] = [];
  // each begins elsewhere, so that none follows in another's steps
  const begin = (name.charCodeAt(0) * count) / 4;
  for (let step = 0; step < count; step += 1) {
    const at = (begin + step) % count;
    told[at] = (await keys.put(`intent-${at}`, { key: `${name}-${at}`, print: "p", madeAt: 0 })).key;
  }
  return told;
}

process.once("message", async () => {
  process.send?.(await (task === "order" ? order() : race()), undefined, undefined, () => process.disconnect());
});
process.send?.("ready");
