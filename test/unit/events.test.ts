import { expectTypeOf } from "expect-type";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createEvents } from "../../src/base/events.ts";

type Told = { readonly sold: { readonly left: number }; readonly closed: { readonly by: string } };

const warnings: Error[] = [];
const collect = (warning: Error) => void warnings.push(warning);
beforeEach(() => {
  warnings.length = 0;
  process.on("warning", collect);
});
afterEach(() => void process.off("warning", collect));
const settle = () => new Promise((resolve) => setImmediate(resolve));

test("an event is made once for all who listen to its name, in the order they came", () => {
  const events = createEvents<Told>();
  const heard: string[] = [];
  let made = 0;
  events.on("sold", ({ left }) => heard.push(`a${left}`));
  events.on("sold", ({ left }) => heard.push(`b${left}`));
  events.on("closed", () => heard.push("closed"));
  events.emit("sold", () => {
    made += 1;
    return { left: 3 };
  });
  expect(heard).toEqual(["a3", "b3"]);
  expect(made).toBe(1);
});

test("no event is made when nobody listens, not yet or no more", () => {
  const events = createEvents<Told>();
  const never = () => expect.unreachable();
  events.emit("sold", never);
  expect(events.listened("sold")).toBe(false);
  const stop = events.on("sold", () => {});
  expect(events.listened("sold")).toBe(true);
  expect(events.listened("closed")).toBe(false);
  stop();
  stop();
  expect(events.listened("sold")).toBe(false);
  events.emit("sold", never);
});

test("the same function that listens twice is told twice, and unsubscribes once", () => {
  const events = createEvents<Told>();
  let told = 0;
  const listener = () => {
    told += 1;
  };
  const stop = events.on("sold", listener);
  events.on("sold", listener);
  stop();
  stop();
  events.emit("sold", () => ({ left: 1 }));
  expect(told).toBe(1);
});

test("listeners may come and go while they are told", () => {
  const events = createEvents<Told>();
  const heard: string[] = [];
  const stopFirst = events.on("sold", () => {
    heard.push("first");
    stopFirst();
    stopThird();
    events.on("sold", () => heard.push("late"));
  });
  events.on("sold", () => heard.push("second"));
  const stopThird = events.on("sold", () => heard.push("third"));
  events.emit("sold", () => ({ left: 1 }));
  expect(heard).toEqual(["first", "second"]);
  events.emit("sold", () => ({ left: 0 }));
  expect(heard).toEqual(["first", "second", "second", "late"]);
});

test("a listener that fails, at once or later, breaks nothing and is warned of once", async () => {
  const events = createEvents<Told>();
  let told = 0;
  events.on("sold", () => {
    throw new TypeError("card 4111");
  });
  events.on("sold", async () => {
    await Promise.resolve();
    throw new RangeError("card 4111");
  });
  events.on("sold", () => {
    told += 1;
  });
  for (const left of [3, 2, 1]) events.emit("sold", () => ({ left }));
  await settle();
  await settle();
  expect(told).toBe(3);
  expect(warnings.map((warning) => "code" in warning && warning.code)).toEqual(
    Array(2).fill("REPRISE_LISTENER_FAILED"),
  );
  expect(warnings.map((warning) => warning.message).join()).not.toContain("4111");
});

test("names and events are typed", () => {
  const events = createEvents<Told>();
  expectTypeOf(events.on<"sold">)
    .parameter(1)
    .parameter(0)
    .toEqualTypeOf<{ readonly left: number }>();
  expectTypeOf(events.listened).parameter(0).toEqualTypeOf<"sold" | "closed">();
});
