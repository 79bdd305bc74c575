import { getEventListeners } from "node:events";
import { expect, test } from "vitest";
import { pause, untilAborted } from "../../src/base/promise.ts";
import { onAbort } from "../../src/base/signals.ts";
import { manualClock } from "../../src/testing/clock.ts";

const listeners = (signal: AbortSignal): number => getEventListeners(signal, "abort").length;
const range = (count: number) => Array.from({ length: count }, (_, index) => index);

test("however many wait for a signal, it has one listener, and none once nobody waits", () => {
  const controller = new AbortController();
  const { signal } = controller;
  const called: number[] = [];
  const stops = range(50).map((index) => onAbort(signal, () => called.push(index)));
  expect(listeners(signal)).toBe(1);
  for (const stop of stops) stop();
  expect(listeners(signal)).toBe(0);
  controller.abort();
  expect(called).toEqual([]);
});

test("who waits when the signal aborts is called once, in the order of their coming; who stopped is not", () => {
  const controller = new AbortController();
  const called: string[] = [];
  const twice = () => called.push("twice");
  const stops = [onAbort(controller.signal, twice), onAbort(controller.signal, twice)];
  const stopped = onAbort(controller.signal, () => called.push("stopped"));
  onAbort(controller.signal, () => {
    called.push("stops the last");
    last();
  });
  const last = onAbort(controller.signal, () => called.push("last"));
  stopped();
  stopped();
  controller.abort();
  expect(called).toEqual(["twice", "twice", "stops the last"]);
  for (const stop of stops) stop();
  expect(listeners(controller.signal)).toBe(0);
});

test("a stop that is called late takes nobody else's listener away", () => {
  const controller = new AbortController();
  const first = onAbort(controller.signal, () => {});
  first();
  let heard = 0;
  onAbort(controller.signal, () => {
    heard += 1;
  });
  first();
  controller.abort();
  expect(heard).toBe(1);
});

test("a signal that has aborted already calls nobody", () => {
  const signal = AbortSignal.abort();
  onAbort(signal, () => expect.fail("was called"))();
  expect(listeners(signal)).toBe(0);
});

test("pauses and waits share the listener of their signal, end with its reason, and leave nothing behind", async () => {
  const clock = manualClock();
  const controller = new AbortController();
  const { signal } = controller;
  const reason = new Error("enough");
  const over = [pause(clock, 10, signal), untilAborted(Promise.resolve(1), signal)];
  const waits = range(20).flatMap(() => [pause(clock, 1_000, signal), untilAborted(new Promise(() => {}), signal)]);
  expect(listeners(signal)).toBe(1);
  await clock.advance(10);
  expect(await Promise.all(over)).toEqual([undefined, 1]);
  expect(listeners(signal)).toBe(1);
  controller.abort(reason);
  for (const wait of waits) await expect(wait).rejects.toBe(reason);
  expect(listeners(signal)).toBe(0);
  expect(clock.pending()).toBe(0);
  await expect(pause(clock, 10, signal)).rejects.toBe(reason);
  await expect(untilAborted(new Promise(() => {}), signal)).rejects.toBe(reason);
});
