import { expect, test, vi } from "vitest";
import { systemClock } from "../../src/base/clock.ts";
import { createNow } from "../../src/cache/instants.ts";

test("while an instant is kept the event loop does not sleep: whoever wakes it would be told one from before", () => {
  const ends = vi.spyOn(globalThis, "setImmediate");
  const now = createNow(() => systemClock);
  for (let read = 0; read < 100; read += 1) now();
  expect(ends).toHaveBeenCalled();
  for (const { value } of ends.mock.results) expect((value as NodeJS.Immediate).hasRef()).toBe(true);
  ends.mockRestore();
});
