import { afterAll, afterEach, expect, test } from "vitest";
import { newAttemptId } from "../../src/base/names.ts";
import type { LeaseStore } from "../../src/contract/lease.ts";
import { type AzureContainer, azureLeases } from "../../src/stores/azure/index.ts";
import { noAzuriteHere, startAzurite } from "../support/azurite.ts";
import { type TcpProxy, tcpProxy } from "../support/tcp-proxy.ts";

const missing = noAzuriteHere();
const azurite = missing === undefined ? await startAzurite() : undefined;
const proxies: TcpProxy[] = [];
afterEach(async () => {
  for (const proxy of proxies.splice(0)) await proxy.close();
});
afterAll(() => azurite?.stop());

async function stand() {
  if (azurite === undefined) throw new Error("no Azurite");
  const container = await azurite.container();
  const proxy = await tcpProxy({ host: "127.0.0.1", port: azurite.port });
  proxies.push(proxy);
  const behind = azurite.through(proxy.port, container.containerName);
  return { container, proxy, leases: azureLeases({ container }), behind: azureLeases({ container: behind }) };
}

function testHere(name: string, run: () => Promise<void>): void {
  test(name, async (context) => {
    if (missing !== undefined) context.skip(missing);
    await run();
  });
}

const asked = (leaseMs = 30_000) => ({ name: "a", holder: "me", attempt: newAttemptId(), leaseMs });
const isFree = async (leases: LeaseStore<never>) => (await leases.acquire(asked())).is === "acquired";

testHere("who is not let in has asked once", async () => {
  const { leases, behind, proxy } = await stand();
  await leases.acquire(asked());
  let requests = 0;
  proxy.fateOf = () => {
    requests += 1;
    return "pass";
  };
  expect(await behind.acquire(asked())).toEqual({ is: "held", holder: null, forMs: null });
  expect(requests).toBe(1);
});

// the lease's own request; the first read of the record; the write of the record
for (const lost of ["comp=lease", "GET ", '"holder"']) {
  testHere(`an acquisition of which one answer is lost is acquired once: ${lost}`, async () => {
    const { leases, behind, proxy } = await stand();
    const before = asked();
    const { token } = (await leases.acquire(before)) as { readonly token: number };
    await leases.release({ ...before, token });
    let losses = 0;
    proxy.fateOf = (request) => (request.includes(lost) && losses++ === 0 ? "lose the answer" : "pass");
    const again = asked();
    expect(await behind.acquire(again)).toEqual({ is: "acquired", token: token + 1 });
    expect(losses).toBeGreaterThan(0);
    expect(await leases.acquire(again)).toEqual({ is: "acquired", token: token + 1 });
    expect(await leases.look("a")).toEqual({ token: token + 1, holder: "me", forMs: null });
  });
}

testHere(
  "one that was killed between the lease and its token holds the lease out, and the token still grows",
  async () => {
    const { leases, container } = await stand();
    const before = asked();
    expect(await leases.acquire(before)).toEqual({ is: "acquired", token: 1 });
    await leases.release({ ...before, token: 1 });
    for await (const { name } of container.listBlobsFlat()) {
      await container.getBlobClient(name).getBlobLeaseClient(crypto.randomUUID()).acquireLease(15);
    }
    expect(await isFree(leases)).toBe(false);
    await azurite?.passTime(15_001);
    expect(await leases.acquire(asked())).toEqual({ is: "acquired", token: 2 });
  },
);

testHere(
  "one that pauses between the lease and its token until others had it is not let in, and takes no token",
  async () => {
    const { leases, container } = await stand();
    await leases.acquire(asked());
    await azurite?.passTime(30_001);
    let arrived = () => {};
    let goOn = () => {};
    const paused = new Promise<void>((resolve) => {
      arrived = resolve;
    });
    const gate = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    const pausing: AzureContainer = {
      getBlockBlobClient: (name) => {
        const blob = container.getBlockBlobClient(name);
        return {
          download: (...given) => blob.download(...given),
          getBlobLeaseClient: (id) => blob.getBlobLeaseClient(id),
          upload: async (...given) => {
            arrived();
            await gate;
            return blob.upload(...given);
          },
        };
      },
    };
    const zombie = azureLeases({ container: pausing }).acquire(asked());
    await paused;
    await azurite?.passTime(30_001);
    const owner = asked();
    expect(await leases.acquire(owner)).toEqual({ is: "acquired", token: 2 });
    await leases.release({ ...owner, token: 2 });
    goOn();
    expect((await zombie).is).toBe("held");
    expect((await leases.look("a"))?.token).toBe(2);
  },
);

testHere("a short lease lasts 15 s, and one of more than 60 s is refused before anything is asked", async () => {
  const { leases, behind, proxy } = await stand();
  await leases.acquire(asked(1));
  await azurite?.passTime(14_000);
  expect(await isFree(leases)).toBe(false);
  await azurite?.passTime(1_001);
  expect(await isFree(leases)).toBe(true);

  let requests = 0;
  proxy.fateOf = () => {
    requests += 1;
    return "pass";
  };
  const refusal = { code: "REPRISE_BAD_DECLARATION" };
  await expect(behind.acquire({ ...asked(60_001), name: "b" })).rejects.toMatchObject(refusal);
  await expect(behind.renew({ ...asked(), token: 1 }, 60_001)).rejects.toMatchObject(refusal);
  expect(requests).toBe(0);
});

testHere("a renewal may also make a lease longer than it was", async () => {
  const { leases } = await stand();
  const grip = { ...asked(), token: 1 };
  await leases.acquire({ ...grip, leaseMs: 15_000 });
  expect(await leases.renew(grip, 60_000)).toBe(true);
  await azurite?.passTime(59_000);
  expect(await isFree(leases)).toBe(false);
  expect(await leases.renew(grip, 60_000)).toBe(true);
  await azurite?.passTime(59_000);
  expect(await isFree(leases)).toBe(false);
});

testHere("something else under its prefix is not taken for a lease", async () => {
  const { leases, container } = await stand();
  await leases.acquire(asked());
  await azurite?.passTime(30_001);
  for await (const { name } of container.listBlobsFlat()) await container.getBlockBlobClient(name).upload("{}", 2);
  await expect(leases.look("a")).rejects.toMatchObject({ code: "REPRISE_LEDGER_UNUSABLE" });
  await expect(leases.acquire(asked())).rejects.toMatchObject({ code: "REPRISE_LEDGER_UNUSABLE" });
});

testHere("a service that does not answer is away, in less than the shortest lease", async () => {
  const { behind, proxy } = await stand();
  proxy.fateOf = () => "hold the request";
  const before = performance.now();
  await expect(behind.acquire(asked())).rejects.toMatchObject({
    code: "REPRISE_LEDGER_AWAY",
    details: { ledger: "azure-blob" },
  });
  expect(performance.now() - before).toBeLessThan(10_000);
});
