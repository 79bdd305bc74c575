import { once } from "node:events";
import type { AddressInfo } from "node:net";
import express from "express";
import { expect, test } from "vitest";
import { createReprise, unchecked } from "../../src/index.ts";
import { memoryLedger } from "../../src/stores/memory/index.ts";
import { expressHandler } from "../../src/transports/http/express.ts";

test("a header's letters beyond ASCII stay the bytes that HTTP knows, also beside a text", async () => {
  const reprise = createReprise({ service: "shop", undecided: "listed", ledger: memoryLedger() });
  const book = reprise.operation({
    name: "seat.book",
    input: unchecked<null>(),
    principal: "everyone",
    identity: "callers-key",
    retention: "1d",
    effects: "external",
    run: async () => "booked",
  });
  const carry = expressHandler(book, {
    principal: "everyone",
    input: () => null,
    reply: () => ({ status: 201, headers: { location: "/café" }, body: "é" }),
  });
  const server = express().post("/", carry).listen(0, "127.0.0.1");
  try {
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    for (const replayed of [null, "true"]) {
      const answer = await fetch(`http://127.0.0.1:${port}/`, { method: "POST", headers: { "idempotency-key": "k1" } });
      expect(answer.headers.get("location")).toBe("/café");
      expect(answer.headers.get("idempotency-replayed")).toBe(replayed);
      expect(await answer.text()).toBe("é");
    }
  } finally {
    server.close();
    await reprise.close();
  }
});
