import { closeSync, existsSync, openSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { cannotRunHere } from "../support/environment.ts";
import { type Output, runCommand } from "./command.ts";
import { type Installed, install } from "./installed.ts";

/** The command as a person has it: from the installed package, as a process of its own. */

let installed: Installed;
beforeAll(async () => {
  installed = await install();
});
afterAll(() => installed.remove());

const run = (args: readonly string[], input = "", output?: Output, errors?: Exclude<Output, number>) =>
  runCommand(installed, args, input, { output, errors });

const workingSet = (...args: readonly string[]) => ["working-set", ...args];
const loop = Array.from({ length: 400 }, (_, at) => `secret-${at % 40}`).join("\n");

describe("reprise working-set", () => {
  test("prints the curve, the knee, the wanted size and the bill, and no key", async () => {
    const trace = installed.write("loop.txt", loop);
    const { code, out, err } = await run(workingSet("--trace", trace, "--hit-rate", "90%", "--now", "10kb"));
    expect({ code, err }).toEqual({ code: 0, err: "" });
    expect(out).toMatch(/400 reads of 40 keys \(format: keys\)/);
    expect(out).toMatch(/Knee: 40 entries \(40 kB\) answer 90\.0% of reads/);
    expect(out).toMatch(/For 90\.0%: 40 entries/);
    expect(out).toMatch(/Now: 10 entries answer 0\.0%/);
    expect(out).toMatch(/lru answers 90\.0%, lfu 90\.0%/);
    expect(out).toMatch(/not worth a person's time/);
    expect(out).not.toMatch(/secret/);
  });

  test("prints one JSON document with --json, from standard input", async () => {
    const { code, out } = await run(workingSet("--trace", "-", "--json", "--now-entries", "20"), loop);
    expect(code).toBe(0);
    const report = JSON.parse(out);
    expect(report).toMatchObject({
      format: "keys",
      reads: 400,
      keys: 40,
      exact: true,
      knee: { entries: 40, missRatio: 0.1 },
      now: { entries: 20, hitRate: 0 },
      bill: { worthIt: false },
    });
    expect(report.bill.sentence).toMatch(/\.$/);
    expect(out).not.toMatch(/secret/);
  });

  test("reads what redis-cli monitor prints, and sizes", async () => {
    const monitor = 'OK\n1.0 [0 1.2.3.4:5] "get" "a b"\n2.0 [0 1.2.3.4:5] "GET" "a b"\n';
    expect(JSON.parse((await run(workingSet("--trace", "-", "--json"), monitor)).out)).toMatchObject({
      format: "monitor",
      reads: 2,
      keys: 1,
      assumed: { readsPerSecond: 2 },
    });
    expect(JSON.parse((await run(workingSet("--trace", "-", "--json"), "a 50\na 50\n")).out)).toMatchObject({
      format: "sizes",
      assumed: { entryBytes: 50 },
    });
  });

  test("takes prices, and says where a change is worth it", async () => {
    const prices = ["--price-million-misses", "1000", "--reads-per-second", "50"];
    const { out } = await run(workingSet("--trace", "-", "--now-entries", "10", ...prices), loop);
    expect(out).toMatch(/The change saves \$[\d,.]+ a month\./);
  });

  test("says why it cannot read a trace, with exit code 1", async () => {
    for (const [args, input, why] of [
      [["--trace", "nowhere.txt"], "", /there is no such file/],
      [["--trace", "."], "", /it is a folder/],
      [["--trace", "-"], "", /standard input is empty/],
      [
        ["--trace", "-", "--format", "monitor"],
        "a\nb\n",
        /no read in the format 'monitor'.*--format keys, sizes, monitor/,
      ],
      [["--trace", "-"], "a\0b", /no text/],
    ] as const) {
      const { code, out, err } = await run(workingSet(...args), input);
      expect({ code, out }).toEqual({ code: 1, out: "" });
      expect(err).toMatch(why);
    }
  });

  test("says in one line that its answer cannot be written, with exit code 1", async (context) => {
    if (!existsSync("/dev/full")) context.skip(`${cannotRunHere}there is no /dev/full`);
    const trace = installed.write("loop.txt", loop);
    for (const args of [workingSet("--trace", trace), workingSet("--trace", trace, "--json"), ["--help"]]) {
      const full = openSync("/dev/full", "w");
      const { code, err } = await run(args, "", full);
      closeSync(full);
      expect({ code, err }).toEqual({
        code: 1,
        err: "error: The answer cannot be written: ENOSPC. See what standard output is.\n",
      });
    }
  });

  test("is quiet where nobody reads on: the exit code is what it is otherwise", async () => {
    const { code, err } = await run(workingSet("--trace", "-"), loop, "closed");
    expect({ code, err }).toEqual({ code: 0, err: "" });
    expect(await run(workingSet("--trace", "nowhere.txt"), "", "pipe", "closed")).toEqual({
      code: 1,
      out: "",
      err: "",
    });
  });

  test("says what is wrong with its usage, with exit code 2", async () => {
    for (const [args, why] of [
      [[], /required option '--trace <file>'/],
      [["--trace", "x", "--hit-rate", "120%"], /such as 95% or 0\.95/],
      [["--trace", "x", "--format", "csv"], /keys, sizes, monitor/],
      [["--trace", "x", "--now", "12"], /256mb/],
      [["--trace", "x", "--now", "1mb", "--now-entries", "5"], /cannot be used with/],
      [["--trace", "x", "--colour"], /unknown option/],
    ] as const) {
      const { code, err } = await run(workingSet(...args));
      expect(code).toBe(2);
      expect(err).toMatch(why);
    }
    expect((await run([])).code).toBe(2);
    expect((await run(["nonsense"])).code).toBe(2);
  });

  test("tells what there is when asked", async () => {
    expect(await run(["--help"])).toMatchObject({ code: 0, out: expect.stringMatching(/working-set/) });
    expect(await run(workingSet("--help"))).toMatchObject({ code: 0, out: expect.stringMatching(/--price-gb-month/) });
  });
});
