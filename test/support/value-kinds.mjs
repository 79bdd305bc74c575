/**
 * What values of each kind cost, beside what `sizeOf` tells: a line of JSON. Run with --expose-gc; the argument is the
 * module of `sizeOf`.
 */
const { sizeOf } = await import(process.argv[2]);

let made = 0;
/** A string like no other, `length` characters flat. */
function text(length) {
  made += 1;
  return Buffer.from(made.toString(36).padStart(length, "x")).toString("latin1");
}

class Seat {
  row = 1;
  label = text(12);
  price = 12.5 + made;
}

const range = (length) => Array.from({ length }, (_, i) => i);

/** Each makes its n-th value. */
const kinds = {
  "flat rows as a driver makes them": (n) => ({ id: n, name: text(24), price: n + 0.25, free: true, at: text(24) }),
  "parsed JSON": (n) =>
    JSON.parse(JSON.stringify({ id: n, tags: [text(14), text(14)], at: { x: n + 0.5, y: 2 }, list: range(8) })),
  "arrays of rows": (n) => range(10).map((i) => ({ i, name: text(16), rate: n / 7 })),
  "long arrays of rows": () => range(1_000).map((i) => ({ i, name: text(16), rate: i / 7 })),
  "arrays of doubles": (n) => range(40).map((i) => i + n / 3),
  "arrays of doubles and texts": (n) => range(20).map((i) => (i % 2 === 0 ? i + n / 3 + 0.1 : text(10))),
  strings: () => text(100),
  "strings of two bytes": () => Buffer.from(`Ωé${text(98)}`).toString("utf8"),
  "long strings": () => text(50_000),
  "long strings of two bytes": () => Buffer.from(text(9_000) + "Ω".repeat(9_000)).toString("utf8"),
  maps: (n) => new Map(range(10).map((i) => [text(10), { n, i }])),
  "long maps": () => new Map(range(2_000).map((i) => [text(10), i])),
  sets: () => new Set(range(6).map(() => text(10))),
  dates: (n) => ({ from: new Date(n * 1e6), to: new Date(n * 1e6 + 1) }),
  instances: () => new Seat(),
  "regular expressions": (n) => new RegExp(`a${n % 50}`),
  bigints: (n) => ({ small: BigInt(n), large: BigInt(n + 1) << 100n }),
  "buffers of the pool": () => Buffer.from("x".repeat(300)),
  "small buffers of their own": () => Buffer.alloc(40),
  buffers: () => Buffer.alloc(6_000),
  "typed arrays": () => new Float64Array(50),
  "records of many names": () => JSON.parse(`{${range(300).map((i) => `"${text(12)}":${i}`)}}`),
  "objects without a prototype": (n) => Object.assign(Object.create(null), { n, name: text(12) }),
  "the same object many times": (n) => {
    const seat = { n, name: text(20) };
    return range(30).map(() => ({ seat }));
  },
};

const used = () => {
  globalThis.gc();
  globalThis.gc();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
};

/** Enough of a kind that what the process does besides is no part of it: 8 MB, or 100,000. */
function measure(make) {
  // the compiler and its caches take what they need
  for (let n = 0; n < 100; n += 1) sizeOf(make(n));
  const each = Math.min(100_000, Math.ceil(8_000_000 / sizeOf(make(0))));
  const kept = new Array(each).fill(null);
  const before = used();
  for (let n = 0; n < each; n += 1) kept[n] = make(n);
  const measured = (used() - before) / each;
  return { measured, estimated: kept.reduce((sum, value) => sum + sizeOf(value), 0) / each };
}

const results = {};
for (const [kind, make] of Object.entries(kinds)) results[kind] = measure(make);
process.stdout.write(JSON.stringify(results));
