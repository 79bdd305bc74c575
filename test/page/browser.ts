import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { type Browser, type ConsoleMessage, chromium as launcher, type Page } from "playwright-core";
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

/** A browser for the tests of a file, and what opens the page of a handler in it. `end` is called before the next, and after the test. */
export function openPages() {
  const executablePath = chromium();
  let browser: Browser | undefined;
  // one for all tests of the file: a new one takes longer than most of them
  let page: Page | undefined;
  const ends: (() => Promise<void> | void)[] = [];
  beforeAll(async () => {
    if (executablePath === undefined) return;
    if (!isBuilt()) execFileSync("npm", ["run", "-s", "build", "-w", "page"], { cwd: join(root, "..") });
    browser = await launcher.launch({ executablePath, args: ["--no-sandbox"] });
    page = await browser.newPage();
  });
  beforeEach((context) => {
    if (page === undefined) context.skip(`${cannotRunHere}there is no chromium`);
  });
  const leave = async () => {
    for (const end of ends.splice(0).reverse()) await end();
  };
  afterEach(leave);
  afterAll(() => browser?.close());

  return async (handler: PageHandler, hash: string, look: Look, end: () => Promise<void> | void): Promise<Opened> => {
    if (page === undefined) throw new Error("no browser");
    await leave();
    let served: Served | undefined = await serve(handler);
    const { port, url } = served;
    const shown = page;
    await shown.setViewportSize({ width: look.width ?? 1_600, height: 1_000 });
    await shown.emulateMedia({ colorScheme: look.theme ?? "light" });
    const complaints: string[] = [];
    const heard = (message: ConsoleMessage) => {
      if (message.type() === "error" || message.type() === "warning") complaints.push(message.text());
    };
    const thrown = (error: Error) => complaints.push(error.message);
    shown.on("console", heard).on("pageerror", thrown);
    const away = async () => {
      await served?.close();
      served = undefined;
    };
    const back = async () => {
      served = await serve(handler, port);
    };
    const empty = async () => {
      shown.off("console", heard).off("pageerror", thrown);
      await shown.unrouteAll({ behavior: "ignoreErrors" });
      await shown.evaluate(() => sessionStorage.clear());
      await shown.goto("about:blank");
    };
    ends.push(away, end, empty);
    await shown.goto(`${url}/reprise${hash}`);
    return { page: shown, complaints, away, back };
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
