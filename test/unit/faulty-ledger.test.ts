import { expect, test } from "vitest";
import { nameOf, newAttemptId } from "../../src/base/names.ts";
import type { ClaimRequest } from "../../src/contract/ledger.ts";
import { memoryLedger } from "../../src/stores/memory/index.ts";
import { faultyLedger } from "../../src/testing/index.ts";

const request = (): ClaimRequest => ({
  name: nameOf("work", ["a"]),
  key: null,
  print: { version: 1, hash: "h" },
  keepMs: 1_000,
  leaseMs: 1_000,
  attempt: newAttemptId(),
  input: null,
  resuming: false,
  about: { operation: "op", identity: "a", principal: "p", key: null, owner: "o" },
  parent: null,
  intent: null,
});

async function opened() {
  const inner = memoryLedger();
  const faulty = faultyLedger(inner);
  await faulty.ledger.open();
  return { inner, faulty };
}

test("a blocked call has not happened until its gate opens", async () => {
  const { inner, faulty } = await opened();
  const gate = faulty.block("claim");
  const claim = faulty.ledger.claim(request());
  await gate.reached;
  expect(await inner.find(request())).toBeNull();
  gate.open();
  expect((await claim).is).toBe("won");
});

test("a call blocked after has happened while its answer is withheld", async () => {
  const { inner, faulty } = await opened();
  const gate = faulty.block("claim", { when: "after" });
  const claim = faulty.ledger.claim(request());
  await gate.reached;
  expect((await inner.find(request()))?.is).toBe("running");
  gate.open();
  expect((await claim).is).toBe("won");
});

test("a failed call does not happen, and only the chosen one fails", async () => {
  const { inner, faulty } = await opened();
  faulty.fail("find", { call: 2 });
  expect(await faulty.ledger.find(request())).toBeNull();
  await expect(faulty.ledger.find(request())).rejects.toMatchObject({ code: "REPRISE_LEDGER_AWAY" });
  faulty.fail("claim", { error: new Error("cut") });
  await expect(faulty.ledger.claim(request())).rejects.toThrow("cut");
  expect(await inner.find(request())).toBeNull();
  expect([faulty.calls("find"), faulty.calls("claim")]).toEqual([2, 1]);
});

test("a lost call happens and rejects, and claiming again with the same attempt wins", async () => {
  const { faulty } = await opened();
  const mine = request();
  faulty.lose("claim");
  await expect(faulty.ledger.claim(mine)).rejects.toMatchObject({ code: "REPRISE_LEDGER_AWAY" });
  expect((await faulty.ledger.claim(request())).is).toBe("running");
  expect((await faulty.ledger.claim(mine)).is).toBe("won");
});
