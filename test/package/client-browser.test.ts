import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { chromium as launcher } from "playwright-core";
import { expect, test } from "vitest";
import { cannotRunHere, chromium } from "../support/environment.ts";
import { install } from "./installed.ts";

const executablePath = chromium();

test("the client runs in a browser, as it was packed: one key through a cut connection", async (context) => {
  if (executablePath === undefined) return context.skip(`${cannotRunHere}there is no chromium`);
  const installed = await install();
  const received: unknown[] = [];
  const server = createServer(async (request, response) => {
    const { method, url = "/", headers } = request;
    if (method === "POST") {
      let body = "";
      for await (const chunk of request) body += String(chunk);
      received.push([headers["idempotency-key"], headers["content-type"], body]);
      if (received.length === 1) response.destroy();
      else response.writeHead(201).end("made");
    } else if (url.endsWith(".mjs")) {
      response.writeHead(200, { "content-type": "text/javascript" });
      response.end(readFileSync(join(installed.folder, "node_modules/reprise", new URL(url, "http://a").pathname)));
    } else response.writeHead(200, { "content-type": "text/html" }).end("<!doctype html>");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const browser = await launcher.launch({ executablePath, args: ["--no-sandbox"] });
  try {
    const page = await browser.newPage();
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    const told = await page.evaluate(`(async () => {
      const { createIdempotentFetch, memoryKeys } = await import("/dist/client.mjs");
      const request = createIdempotentFetch({ keys: memoryKeys() });
      const response = await request("/charges", { method: "POST", body: "grün", intent: "order-4711" });
      return [response.status, await response.text()];
    })()`);
    expect(told).toEqual([201, "made"]);
    expect(received).toHaveLength(2);
    expect(received[0]).toEqual([expect.stringMatching(/^"[0-9a-f-]{36}"$/), "text/plain;charset=UTF-8", "grün"]);
    expect(received[1]).toEqual(received[0]);
  } finally {
    await browser.close();
    server.close();
    server.closeAllConnections();
    installed.remove();
  }
}, 120_000);
