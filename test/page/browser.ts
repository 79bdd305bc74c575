import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { type Browser, chromium as launcher, type Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach } from "vitest";
import type { PageHandler } from "../../src/page/index.ts";
import { cannotRunHere, chromium } from "../support/environment.ts";
import { type Served, serve } from "./serve.ts";

const root = join(import.meta.dirname, "../../page");

export interface Look {
  readonly width?: number;
  readonly theme?: "light" | "dark";
}

export interface Opened {
  readonly page: Page;
  /** Of the browser: errors and warnings. */
  readonly complaints: readonly string[];
  readonly away: () => Promise<void>;
  readonly back: () => Promise<void>;
}

/** A browser for the tests of a file, and what opens the page of a handler in it. `end` is called after the test. */
export function openPages() {
  const executablePath = chromium();
  let browser: Browser | undefined;
  let ends: (() => Promise<void> | void)[] = [];
  beforeAll(async () => {
    if (executablePath === undefined) return;
    if (!isBuilt()) execFileSync("npm", ["run", "-s", "build", "-w", "page"], { cwd: join(root, "..") });
    browser = await launcher.launch({ executablePath, args: ["--no-sandbox"] });
  });
  beforeEach((context) => {
    if (browser === undefined) context.skip(`${cannotRunHere}there is no chromium`);
  });
  afterEach(async () => {
    for (const end of ends.reverse()) await end();
    ends = [];
  });
  afterAll(() => browser?.close());

  return async (handler: PageHandler, hash: string, look: Look, end: () => Promise<void> | void): Promise<Opened> => {
    let served: Served | undefined = await serve(handler);
    const { port, url } = served;
    const context = await browser?.newContext({
      viewport: { width: look.width ?? 1_600, height: 1_000 },
      colorScheme: look.theme ?? "light",
    });
    if (context === undefined) throw new Error("no browser");
    const page = await context.newPage();
    const complaints: string[] = [];
    page.on("console", (message) => {
      if (message.type() === "error" || message.type() === "warning") complaints.push(message.text());
    });
    page.on("pageerror", (error) => complaints.push(error.message));
    const away = async () => {
      await served?.close();
      served = undefined;
    };
    const back = async () => {
      served = await serve(handler, port);
    };
    ends.push(() => context.close(), end, away);
    await page.goto(`${url}/reprise${hash}`);
    return { page, complaints, away, back };
  };
}

/** How far the page can be scrolled sideways. */
export const overflow = (page: Page): Promise<number> =>
  page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);

/** Only what is missing or old is built: other tests read the same folder. */
function isBuilt(): boolean {
  const shell = join(root, "dist/index.html");
  if (!existsSync(shell)) return false;
  const sources = readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" });
  const newest = Math.max(...sources.map((name) => statSync(join(root, "src", name)).mtimeMs));
  return statSync(shell).mtimeMs > newest;
}
