import { AsyncLocalStorage } from "node:async_hooks";
import { expect, test } from "vitest";
import { type Ambient, createAmbient } from "../../src/cache/guard/context.ts";

const ambient = () => createAmbient(["user", "tenant", "locale"]);
const outside = AsyncLocalStorage.snapshot();

/** A promise and its resolver. */
function gate() {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { open, opened };
}

const watch = <T>(context: Ambient, scope: Readonly<Record<string, unknown>>, work: () => T) =>
  outside(() => context.watch({ cache: "seats", scope }, work));

const used = () => {
  const context = ambient();
  context.run({}, () => {});
  return context;
};

test("a run tells its values to all that it awaits, and to nothing else", async () => {
  const context = ambient();
  const told = context.run({ user: "ann" }, async () => {
    await Promise.resolve();
    return context.get("user");
  });
  expect(context.get("user")).toBeUndefined();
  expect(await told).toBe("ann");
});

test("a run inside another inherits what it does not name, and undefined names nobody", () => {
  const context = ambient();
  const read = () => [context.get("user"), context.get("tenant")];
  context.run({ user: "ann", tenant: "t1" }, () => {
    expect(context.run({ user: "bob" }, read)).toEqual(["bob", "t1"]);
    expect(context.run({ user: undefined }, read)).toEqual([undefined, "t1"]);
    expect(read()).toEqual(["ann", "t1"]);
  });
});

test("two instances do not see each other's values", () => {
  const [one, other] = [ambient(), ambient()];
  one.run({ user: "ann" }, () => expect(other.get("user")).toBeUndefined());
});

test("a dimension that was not declared is refused, reading and running, as is a value that is no string", () => {
  const context = ambient();
  const error = expect.objectContaining({ code: "REPRISE_BAD_DECLARATION" });
  expect(() => context.get("usr")).toThrow(error);
  expect(() => context.get("constructor")).toThrow(error);
  expect(() => context.run({ usr: "ann" }, () => {})).toThrow(error);
  expect(() => context.run({ user: 7 as unknown as string }, () => {})).toThrow(error);
});

for (const [when, make] of [
  ["before the first run", ambient],
  ["after the first run", used],
] as const) {
  test(`${when}, a loader gets its scope's own values as text`, () => {
    const context = make();
    const scope = { user: "ann", tenant: 7, locale: undefined };
    const { result, leaked } = watch(context, scope, () =>
      ["user", "tenant", "locale"].map((dimension) => context.get(dimension)),
    );
    expect(result).toEqual(["ann", "7", undefined]);
    expect(leaked()).toBeUndefined();
  });

  test(`${when}, a loader that reads a dimension outside its scope is told, and fails even if it swallows that`, () => {
    const context = make();
    const { result, leaked } = watch(context, { tenant: "t1" }, () => {
      try {
        return context.get("user");
      } catch (error) {
        expect(error).toMatchObject({ code: "REPRISE_SCOPE_LEAK", details: { cache: "seats", dimension: "user" } });
        return "anybody";
      }
    });
    expect(result).toBe("anybody");
    expect(leaked()).toBe("user");
  });

  test(`${when}, a load inside a load is held to its own scope`, () => {
    const context = make();
    let inner: { readonly leaked: () => string | undefined } | undefined;
    const outer = watch(context, { user: "ann" }, () => {
      inner = watch(context, { tenant: "t1" }, () => expect(() => context.get("user")).toThrow("'user'"));
      return context.get("user");
    });
    expect(outer.result).toBe("ann");
    expect(outer.leaked()).toBeUndefined();
    expect(inner?.leaked()).toBe("user");
  });

  test(`${when}, a loader's own run tells what it names and guards the rest`, () => {
    const context = make();
    const { result, leaked } = watch(context, { tenant: "t1" }, () =>
      context.run({ locale: "en" }, () => {
        expect(() => context.get("user")).toThrow("'user'");
        return [context.get("locale"), context.get("tenant")];
      }),
    );
    expect(result).toEqual(["en", "t1"]);
    expect(leaked()).toBe("user");
  });

  test(`${when}, what a load throws, in its turn or later, is thrown on`, async () => {
    const context = make();
    const failing = () => {
      throw new Error("away");
    };
    expect(() => watch(context, {}, failing)).toThrow("away");
    await expect(watch(context, {}, async () => failing()).result).rejects.toThrow("away");
    expect(context.get("user")).toBeUndefined();
  });
}

test("a leak is noticed after an await too", async () => {
  const context = used();
  const { result, leaked } = watch(context, { tenant: "t1" }, async () => {
    await Promise.resolve();
    return context.get("user");
  });
  await expect(result).rejects.toMatchObject({ code: "REPRISE_SCOPE_LEAK" });
  expect(leaked()).toBe("user");
});

test("a load that began before the first run and reads its scope after it is right", async () => {
  const context = ambient();
  const source = gate();
  let loads = 0;
  const { result, leaked } = watch(context, { user: "ann" }, async () => {
    loads += 1;
    await source.opened;
    return context.get("user");
  });
  context.run({ user: "bob" }, () => source.open());
  expect(await result).toBe("ann");
  expect(leaked()).toBeUndefined();
  expect(loads).toBe(2);
});

test("a load that began before the first run and leaks after it fails", async () => {
  const context = ambient();
  const source = gate();
  const { result, leaked } = watch(context, { tenant: "t1" }, async () => {
    await source.opened;
    return context.get("user");
  });
  context.run({ user: "bob" }, () => source.open());
  await expect(result).rejects.toMatchObject({ code: "REPRISE_SCOPE_LEAK" });
  expect(leaked()).toBe("user");
});

test("a load that began before the first run is not repeated when nobody can have read for it", async () => {
  const context = ambient();
  const source = gate();
  let loads = 0;
  const { result } = watch(context, { user: "ann" }, async () => {
    loads += 1;
    await source.opened;
    return "seats";
  });
  context.run({ user: "bob" }, () => {
    context.get("user");
    source.open();
  });
  expect(await result).toBe("seats");
  expect(loads).toBe(1);
});

test("no storage is asked before the first run, for one that was used makes every await dearer", () => {
  const { getStore } = AsyncLocalStorage.prototype;
  let asked = false;
  AsyncLocalStorage.prototype.getStore = function () {
    asked = true;
    return getStore.call(this);
  };
  try {
    const context = ambient();
    context.get("user");
    context.watch({ cache: "seats", scope: { user: "ann" } }, () => context.get("user"));
    expect(asked).toBe(false);
    context.run({ user: "ann" }, () => context.get("user"));
    expect(asked).toBe(true);
  } finally {
    AsyncLocalStorage.prototype.getStore = getStore;
  }
});
