import { describe, expect, test } from "vitest";
import { isRepriseError } from "../../src/base/errors.ts";
import { keysRead, parseMonitorLine } from "../../src/observe/working-set/monitor.ts";
import { detectFormat } from "../../src/observe/working-set/requests.ts";
import { studyTrace } from "../../src/observe/working-set/study.ts";

describe("a line of MONITOR", () => {
  test("is a time, a database and a command", () => {
    expect(parseMonitorLine('1339518083.107412 [3 127.0.0.1:60866] "keys" "*"')).toEqual({
      at: 1339518083.107412,
      database: "3",
      command: ["keys", "*"],
    });
  });

  test.each([
    ["quotes and backslashes", String.raw`"say \"hi\" \\ there"`, String.raw`say "hi" \ there`],
    ["a quote behind a backslash", String.raw`"ends with \\"`, "ends with \\"],
    ["blanks and brackets", '"a ] b [0 c"', "a ] b [0 c"],
    ["control characters", String.raw`"\n\r\t\a\b"`, "\n\r\t\x07\b"],
    ["bytes", String.raw`"\x00\xfF"`, "\x00\xff"],
    ["nothing", '""', ""],
  ])("keeps %s in an argument", (_, quoted, text) => {
    expect(parseMonitorLine(`1.5 [0 [::1]:6379] "get" ${quoted} "x"`)?.command).toEqual(["get", text, "x"]);
  });

  test("may come from a script or a socket", () => {
    expect(parseMonitorLine('1.5 [0 lua] "get" "a"')?.command).toEqual(["get", "a"]);
    expect(parseMonitorLine('1.5 [0 unix:/tmp/redis.sock] "get" "a"')?.command).toEqual(["get", "a"]);
  });

  test.each(["OK", "", '1.5 [0 lua] "get" "a', '1.5 [0 lua] "get"x', '[0 lua] "get" "a"', "1.5 get a"])(
    "is none if it reads %j",
    (line) => {
      expect(parseMonitorLine(line)).toBeUndefined();
    },
  );

  test("reads the keys that its command reads, and no others", () => {
    expect(keysRead(["GET", "a"])).toEqual(["a"]);
    expect(keysRead(["mget", "a", "b"])).toEqual(["a", "b"]);
    expect(keysRead(["HGET", "a", "field"])).toEqual(["a"]);
    expect(keysRead(["EXISTS", "a", "b"])).toEqual(["a", "b"]);
    expect(keysRead(["JSON.MGET", "a", "b", "$"])).toEqual(["a", "b"]);
    for (const command of [["SET", "a", "1"], ["DEL", "a"], ["PING"], ["get"], []])
      expect(keysRead(command)).toEqual([]);
  });
});

describe("the format", () => {
  test.each([
    ["keys", ["user:1", "user 2 of 3 x", "42"]],
    ["keys", ["a 12", "b"]],
    ["sizes", ["user:1 300", "user:2,12", "", "a b\t7"]],
    ["monitor", ["OK", '1.5 [0 lua] "get" "a"']],
    ["keys", []],
  ] as const)("is told as %s from its first lines %j", (format, lines) => {
    expect(detectFormat(lines)).toBe(format);
  });
});

describe("a study of a trace", () => {
  test("is exact while the keys fit, however the stream is cut", async () => {
    const text = "a\nb\r\nä€\n\na\nb\nc";
    for (let cut = 1; cut < text.length; cut += 1) {
      const study = await studyTrace([text.slice(0, cut), text.slice(cut)]);
      expect(study).toMatchObject({ format: "keys", exact: true, reads: 6, skipped: 0, entryBytes: null });
      expect(study.curve).toMatchObject({ reads: 6, keys: 4 });
      expect(study.curve.points.at(-1)).toMatchObject({ entries: 3, missRatio: 4 / 6 });
    }
  });

  test("is a sample where they do not, and as good as exact", async () => {
    const lines = Array.from({ length: 60_000 }, (_, at) => `key-${at % 20_000}\n`);
    const study = await studyTrace(lines);
    expect(study.exact).toBe(false);
    expect(study.curve.keys / 20_000).toBeCloseTo(1, 1);
    expect(study.curve.points.at(-1)?.missRatio).toBeCloseTo(1 / 3, 1);
  });

  test("knows what entries weigh where the trace says it", async () => {
    const study = await studyTrace(["a 100\nb 300\na 100\nb 300\n"]);
    expect(study).toMatchObject({ format: "sizes", reads: 4 });
    expect(study.entryBytes).toBeCloseTo(200, -1);
  });

  test("knows the rate of reads where the trace has time, and passes over what it cannot read", async () => {
    const lines = [
      "OK",
      '10.0 [0 lua] "get" "a"',
      "nonsense",
      '11.0 [0 lua] "set" "a" "1"',
      '12.0 [1 lua] "mget" "a" "b"',
    ];
    const study = await studyTrace([`${lines.join("\n")}\n`]);
    expect(study).toMatchObject({ format: "monitor", reads: 3, readsPerSecond: 1.5, skipped: 1 });
    // the same key of two databases is two keys
    expect(study.curve.keys).toBe(3);
  });

  test("takes the format that it is told", async () => {
    expect(await studyTrace(["a 1\na 2\n"], { format: "keys" })).toMatchObject({ reads: 2, curve: { keys: 2 } });
  });

  test("tells how far it is", async () => {
    const told: number[] = [];
    await studyTrace(["a\n".repeat(600_000)], { progress: (reads) => told.push(reads) });
    expect(told).toEqual([250_000, 500_000]);
  });

  test.each([
    ["bytes that are no text", "a\0b\n"],
    ["a line without an end", "x".repeat(1_100_000)],
  ])("refuses %s", async (_, text) => {
    const refusal = await studyTrace([text]).catch((error: unknown) => error);
    expect(isRepriseError(refusal, "REPRISE_BAD_DECLARATION")).toBe(true);
  });
});
