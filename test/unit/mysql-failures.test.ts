import { describe, expect, test } from "vitest";
import { away, behindProxy, book, bookings, database, finished, opened, proxy, request, won } from "./mysql-stand.ts";

describe("a cut connection", () => {
  test("killed while database work is open: nothing of it is kept, and the next attempt runs", async () => {
    const ledger = await opened();
    const cut = ledger.atomic(request(), async (tx) => {
      await tx.query("insert into booking values ('lost')");
      const [row] = await tx.query("select connection_id() as id");
      await database.query(`kill ${Number(row?.["id"])}`);
      await tx.query("select 1");
      return finished;
    });
    await expect(cut).rejects.toMatchObject(away);
    expect((await ledger.atomic(request(), book("a"))).is).toBe("ran");
    expect(await bookings()).toEqual(["a"]);
  });

  test("killed right before the commit: in doubt, and the next attempt runs", async () => {
    const ledger = await opened();
    const cut = ledger.atomic(request(), async (tx) => {
      await tx.query("insert into booking values ('lost')");
      const [row] = await tx.query("select connection_id() as id");
      await database.query(`kill ${Number(row?.["id"])}`);
      return finished;
    });
    await expect(cut).rejects.toMatchObject(away);
    expect((await ledger.atomic(request(), book("a"))).is).toBe("ran");
    expect(await bookings()).toEqual(["a"]);
  });

  test("the commit's answer is lost: away, and the next attempt is told the outcome", async () => {
    const ledger = await behindProxy();
    proxy.fateOf = (sent) => (sent.includes("commit") ? "lose the answer" : "pass");
    await expect(ledger.atomic(request(), book("a"))).rejects.toMatchObject(away);
    proxy.fateOf = () => "pass";
    expect(await ledger.atomic(request(), book("again"))).toMatchObject({ is: "done", outcome: "{}" });
    expect(await bookings()).toEqual(["a"]);
  });

  test("the commit is lost and the server does not notice: running, until it does; then the next attempt runs", async () => {
    const ledger = await behindProxy();
    proxy.fateOf = (sent) => (sent.includes("commit") ? "lose the request" : "pass");
    await expect(ledger.atomic(request(), book("lost"))).rejects.toMatchObject(away);
    proxy.fateOf = () => "pass";
    // a plain read would have said that nothing is there
    expect(await ledger.find(request())).toBeNull();
    expect((await ledger.atomic(request(), book("a"))).is).toBe("running");
    proxy.cutServers();
    await expect.poll(async () => (await ledger.atomic(request(), book("a")).catch(() => null))?.is).toBe("ran");
    expect(await bookings()).toEqual(["a"]);
  });

  test("a claim's answer is lost: repeated with the same attempt it has won", async () => {
    const ledger = await behindProxy();
    const wanted = request();
    proxy.fateOf = (sent) => (sent.includes("insert into reprise_work") ? "lose the answer" : "pass");
    await expect(ledger.claim(wanted)).rejects.toMatchObject(away);
    proxy.fateOf = () => "pass";
    expect(await ledger.claim(wanted)).toMatchObject({ is: "won", token: 1 });
    expect((await ledger.claim(request())).is).toBe("running");
  });

  test("a frozen server is away at the deadline, its connections do not return to the pool, and it is used again after", async () => {
    const ledger = await behindProxy({ deadline: "300ms", wait: "300ms" });
    const { fence } = await won(ledger);
    proxy.freeze();
    await expect(ledger.renew(fence, 10_000, null)).rejects.toMatchObject(away);
    const hanging = ledger.atomic(request("b"), book("b"));
    await expect(hanging).rejects.toMatchObject({ code: expect.stringMatching(/^REPRISE_LEDGER_(AWAY|BUSY)$/) });
    proxy.thaw();
    await expect.poll(() => ledger.renew(fence, 10_000, null).catch(() => "away")).toBe("renewed");
    await expect.poll(async () => (await ledger.atomic(request("b"), book("b")).catch(() => null))?.is).toBe("ran");
    expect(await bookings()).toEqual(["b"]);
  });

  test("a server that freezes inside a transaction: its work is told, and nothing of it is kept", async () => {
    const ledger = await behindProxy({ deadline: "300ms" });
    const hanging = ledger.transaction(async (tx) => {
      await tx.query("insert into booking values ('lost')");
      proxy.freeze();
      await tx.query("select 1");
    });
    await expect(hanging).rejects.toMatchObject(away);
    await expect.poll(bookings).toEqual([]);
  });
});
