import { inspect } from "node:util";
import { afterAll, afterEach, expect, test } from "vitest";
import { azureBlobs } from "../../src/stores/azure/index.ts";
import { noAzuriteHere, startAzurite } from "../support/azurite.ts";
import { type Fate, type TcpProxy, tcpProxy } from "../support/tcp-proxy.ts";

const missing = noAzuriteHere();
const azurite = missing === undefined ? await startAzurite() : undefined;
const proxies: TcpProxy[] = [];
afterEach(async () => {
  for (const proxy of proxies.splice(0)) await proxy.close();
});
afterAll(() => azurite?.stop());

/** A container as its store sees it, and as one sees it whose requests may fail. */
async function stand() {
  if (azurite === undefined) throw new Error("no Azurite");
  const container = await azurite.container();
  const proxy = await tcpProxy({ host: "127.0.0.1", port: azurite.port });
  proxies.push(proxy);
  return { container, proxy, behind: azurite.through(proxy.port, container.containerName) };
}

/** Lets the first request that contains `text` have this fate. */
function first(text: string, fate: Fate): (request: string) => Fate {
  let isOver = false;
  return (request) => {
    if (isOver || !request.includes(text)) return "pass";
    isOver = true;
    return fate;
  };
}

const bytes = (content: string) => new TextEncoder().encode(content);

function testHere(name: string, run: () => Promise<void>): void {
  test(name, async (context) => {
    if (missing !== undefined) context.skip(missing);
    await run();
  });
}

testHere("a put whose answer was lost, and which the client repeats, is told to be the same", async () => {
  const { proxy, behind, container } = await stand();
  proxy.fateOf = first("PUT ", "lose the answer");
  const answer = await azureBlobs({ container: behind }).putIfAbsent("a", bytes("one"));
  expect(answer.is).toBe("same");
  expect(await azureBlobs({ container }).read("a")).toEqual({ bytes: bytes("one"), token: answer.token });
});

testHere("a replacement whose answer was lost, and which the client repeats, is told to be the same", async () => {
  const { proxy, behind, container } = await stand();
  const { token } = await azureBlobs({ container }).putIfAbsent("a", bytes("one"));
  proxy.fateOf = first("PUT ", "lose the answer");
  const answer = await azureBlobs({ container: behind }).putIfToken("a", bytes("two"), token);
  expect(answer.is).toBe("same");
  expect(await azureBlobs({ container }).read("a")).toEqual({ bytes: bytes("two"), token: answer.token });
});

testHere("a put that is not answered in time rejects, may have happened, and the same call again tells", async () => {
  const { proxy, behind, container } = await stand();
  proxy.fateOf = first("PUT ", "hold the answer");
  const put = azureBlobs({ container: behind, deadline: "400ms" }).putIfAbsent("a", bytes("one"));
  await expect(put).rejects.toMatchObject({
    code: "REPRISE_BLOBS_AWAY",
    details: { store: "azure-blob", doing: "putIfAbsent, no answer in 400 ms" },
  });
  expect((await azureBlobs({ container }).putIfAbsent("a", bytes("one"))).is).toBe("same");
});

testHere("a call that is aborted while it waits rejects with the signal's reason", async () => {
  const { proxy, behind } = await stand();
  const stop = new AbortController();
  const reason = new Error("no longer wanted");
  proxy.fateOf = () => {
    stop.abort(reason);
    return "hold the answer";
  };
  await expect(azureBlobs({ container: behind }).read("a", stop.signal)).rejects.toBe(reason);
});

testHere("an error names the service's fault, and neither the request nor its key nor its bytes", async () => {
  const { container, behind } = await stand();
  await container.delete();
  const error: unknown = await azureBlobs({ container: behind })
    .putIfAbsent("customer-4711", bytes("of great value"))
    .catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code: "REPRISE_BLOBS_AWAY", cause: { message: "ContainerNotFound" } });
  expect(inspect(error, { depth: 20, showHidden: true })).not.toMatch(/SharedKey|127\.0\.0\.1|4711|great value/);
});

testHere("a blob that somebody leases is not replaced: that is no answer about its bytes", async () => {
  const { container } = await stand();
  const blobs = azureBlobs({ container });
  const { token } = await blobs.putIfAbsent("a", bytes("one"));
  await container.getBlockBlobClient("a").getBlobLeaseClient(crypto.randomUUID()).acquireLease(15);
  await expect(blobs.putIfToken("a", bytes("two"), token)).rejects.toMatchObject({ code: "REPRISE_BLOBS_AWAY" });
  expect((await blobs.putIfAbsent("a", bytes("one"))).is).toBe("same");
  expect((await blobs.putIfAbsent("a", bytes("two"))).is).toBe("differs");
  expect((await blobs.putIfToken("a", bytes("two"), '"0x1"')).is).toBe("differs");
});

testHere("a name with dots between its slashes does not lead into another container", async () => {
  const { container } = await stand();
  const { container: other } = await stand();
  await expect(
    azureBlobs({ container }).putIfAbsent(`../${other.containerName}/a`, bytes("one")),
  ).rejects.toMatchObject({ code: "REPRISE_BAD_DECLARATION" });
  expect(await azureBlobs({ container: other }).read("a")).toBeNull();
});
