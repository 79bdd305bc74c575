import type { Answer } from "./child.ts";
import { flat } from "./flat.ts";
import { collectGarbage } from "./heap.ts";
import { openProducts, openProductsOfTenants } from "./ours.ts";
import { processorTime } from "./processor-time.ts";
import { productOf } from "./product.ts";
import { rivals } from "./rivals.ts";
import { seeded, shuffle, zipf } from "./zipf.ts";

/** One contender in its process: it fills its cache, warms up, and then reads for as long as it is told. */

interface Scope {
  readonly tenant: string;
  readonly id: string;
  /** Of the floor alone: what the others have to make of the two. */
  readonly key?: string;
}
type Read = (scope: Scope) => unknown;

/** How the reads are spread: one key, 100,000 by a Zipf distribution, or a scope of two dimensions. */
export type Spread = "hot" | "zipf" | "two";

/** Reads between two turns of the event loop, without which a cache would never get to read its clock. */
const slice = 5_000;
const warmUpMs = 250;

export async function serveHits(spread = "hot", contender = ""): Promise<Answer> {
  const plain = scopesOf(spread as Spread);
  const scopes = spread === "two" && contender === "floor" ? keyed(plain) : plain;
  const read = open(contender, spread as Spread, scopes);
  for (const scope of scopes) {
    const value = (await read(scope)) as { readonly id: string };
    if (!value.id.endsWith(scope.id)) throw new Error(`${contender} answers with another product`);
  }
  // a server has been up for a while: what loading left behind is collected, whoever loaded
  await collectGarbage();
  const loop = contender === "map" ? loopSync(read) : loopAsync(read);
  const sequence = sequenceOf(spread as Spread, scopes);
  let position = 0;
  const readSlices = async (slices: number): Promise<number> => {
    const began = processorTime();
    for (let done = 0; done < slices; done += 1) {
      await new Promise(setImmediate);
      await loop(sequence, position, position + slice);
      position = (position + slice) % (sequence.length - slice);
    }
    return (processorTime() - began) / (slices * slice);
  };
  const until = processorTime() + warmUpMs * 1e6;
  let each = await readSlices(1);
  while (processorTime() < until) each = await readSlices(1);

  return async (question) => {
    const { milliseconds } = question as { readonly milliseconds: number };
    const slices = Math.ceil((milliseconds * 1e6) / (each * slice));
    // the caches of the processor hold what the contender before it read
    await readSlices(Math.ceil(slices / 2));
    each = await readSlices(slices);
    return each;
  };
}

type Loop = (sequence: readonly Scope[], from: number, to: number) => Promise<void>;

function loopAsync(read: Read): Loop {
  return async (sequence, from, to) => {
    for (let index = from; index < to; index += 1) await read(sequence[index] as Scope);
  };
}

/** The limit: a bare `Map`, without a promise. */
function loopSync(read: Read): Loop {
  let last: unknown;
  return async (sequence, from, to) => {
    for (let index = from; index < to; index += 1) last = read(sequence[index] as Scope);
    if (last === undefined) throw new Error("nothing was read");
  };
}

function scopesOf(spread: Spread): readonly Scope[] {
  if (spread === "hot") return [{ tenant: "tenant-0", id: "product-000000" }];
  if (spread === "zipf") {
    return Array.from({ length: 100_000 }, (_, index) => ({
      tenant: "tenant-0",
      id: flat(`product-${String(index).padStart(6, "0")}`),
    }));
  }
  return Array.from({ length: 1_024 }, (_, index) => ({
    tenant: `tenant-${index % 16}`,
    id: flat(`product-${String(index >> 4).padStart(6, "0")}`),
  }));
}

const keyed = (scopes: readonly Scope[]): readonly Scope[] =>
  scopes.map((scope) => ({ ...scope, key: `${scope.tenant}:${scope.id}` }));

function sequenceOf(spread: Spread, scopes: readonly Scope[]): readonly Scope[] {
  const random = seeded(7);
  if (spread === "zipf") {
    const popular = shuffle(scopes, random);
    return zipf(scopes.length, 1, 1 << 20, random).map((rank) => popular[rank] as Scope);
  }
  const order = shuffle(scopes, random);
  return Array.from({ length: 1 << 14 }, (_, index) => order[index % order.length] as Scope);
}

function open(contender: string, spread: Spread, scopes: readonly Scope[]): Read {
  return spread === "two" ? openTwo(contender, scopes) : openOne(contender, spread, scopes);
}

const ours: Readonly<Record<string, { readonly eviction: "lfu" | "lru"; readonly workingSet?: boolean }>> = {
  reprise: { eviction: "lfu" },
  "reprise-lru": { eviction: "lru" },
  "reprise-unwatched": { eviction: "lfu", workingSet: false },
};

function openOne(contender: string, spread: Spread, scopes: readonly Scope[]): Read {
  // as a bound is chosen: above what is expected
  const entries = 2 * Math.max(scopes.length, 5_000);
  const memory = ours[contender];
  if (memory !== undefined) {
    const product = openProducts({ maxEntries: entries, ...memory });
    return (scope) => product.get(scope);
  }
  if (contender === "map" || contender === "floor") {
    const map = new Map(scopes.map(({ id }) => [id, productOf(id)]));
    return contender === "map" ? (scope) => map.get(scope.id) : async (scope) => map.get(scope.id);
  }
  const rival = rivals[contender];
  if (rival === undefined) throw new Error(`no contender ${contender} for ${spread}`);
  const read = rival(entries);
  return (scope) => read(scope.id);
}

/** The floor has its key ready; whoever composes a key pays for it. */
function openTwo(contender: string, scopes: readonly Scope[]): Read {
  if (contender === "reprise") {
    const product = openProductsOfTenants({ maxEntries: 10_000, eviction: "lfu" });
    return (scope) => product.get(scope);
  }
  if (contender === "floor") {
    const map = new Map(scopes.map(({ key = "", id }) => [key, productOf(id)]));
    return async ({ key = "" }) => map.get(key);
  }
  const read = rivals[contender]?.(10_000);
  if (read === undefined) throw new Error(`no contender ${contender} for two dimensions`);
  // a rival takes one key: its caller puts it together
  return (scope) => read(`${scope.tenant}:${scope.id}`);
}
