import { expect, test } from "vitest";
import { Abortable } from "../../src/base/abortable.ts";

const reason = new Error("over");

test("whoever waits is told once, with the reason, and the first reason stays", () => {
  const abortable = new Abortable();
  const told: Error[] = [];
  abortable.onAbort((given) => told.push(given));
  abortable.abort(reason);
  abortable.abort(new Error("later"));
  expect(told).toEqual([reason]);
  expect(abortable.reason).toBe(reason);
  expect(abortable.signal.reason).toBe(reason);
});

test("a signal that was made before is aborted too", () => {
  const abortable = new Abortable();
  const { signal } = abortable;
  expect(signal.aborted).toBe(false);
  abortable.abort(reason);
  expect(signal.reason).toBe(reason);
});

test("who comes after the end is told at once, and once", () => {
  const abortable = new Abortable();
  const told: string[] = [];
  abortable.onAbort(() => {
    told.push("first");
    abortable.onAbort(() => told.push("within"));
  });
  abortable.abort(reason);
  abortable.onAbort(() => told.push("after"));
  expect(told).toEqual(["first", "within", "after"]);
});

test("who stops waiting twice takes nobody else's place away", () => {
  const abortable = new Abortable();
  const told: string[] = [];
  const stop = abortable.onAbort(() => told.push("stopped"));
  stop();
  stop();
  const stopSecond = abortable.onAbort(() => told.push("second"));
  abortable.onAbort(() => told.push("third"));
  stop();
  abortable.abort(reason);
  stopSecond();
  expect(told).toEqual(["second", "third"]);
});

test("who is taken off while the others are told is not told", () => {
  const abortable = new Abortable();
  const told: string[] = [];
  let stop = () => {};
  abortable.onAbort(() => stop());
  stop = abortable.onAbort(() => told.push("taken off"));
  abortable.abort(reason);
  expect(told).toEqual([]);
});
