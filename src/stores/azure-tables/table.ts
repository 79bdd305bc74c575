import { defaults } from "../../base/defaults.ts";
import type { Bind } from "../items/host.ts";
import type { Content, Item, ItemKey, ItemStore } from "../items/item-store.ts";
import { rowKeyOf, rowOf } from "./row-key.ts";

/** A `TableClient` of `@azure/data-tables`, as little of it as is used. */
export interface AzureTable {
  createTable(options: Calling): Promise<unknown>;
  getEntity(partition: string, row: string, options: Calling): Promise<object>;
  createEntity(entity: Entity, options: Calling): Promise<Answered>;
  updateEntity(entity: Entity, mode: "Replace", options: Calling & Tagged): Promise<Answered>;
  upsertEntity(entity: Entity, mode: "Replace", options: Calling): Promise<unknown>;
  deleteEntity(partition: string, row: string, options: Calling & Tagged): Promise<unknown>;
  listEntities(options: Calling & { queryOptions: { filter: string } }): {
    byPage(settings: { maxPageSize: number; continuationToken?: string }): AsyncIterable<Page>;
  };
}

interface Calling {
  abortSignal: AbortSignal;
  onResponse: (response: { readonly headers: { get(name: string): string | undefined } }) => void;
}
interface Tagged {
  etag: string;
}
interface Answered {
  readonly etag?: string | undefined;
}
type Entity = { partitionKey: string; rowKey: string } & Record<string, string>;
type Page = readonly object[] & { readonly continuationToken?: string };

/** A property holds 32 Ki units of UTF-16; halves of a pair stay together, so one less may have to fit. */
const chunkLength = 32_000;
/** An entity holds 1 MiB, its names and whatever else with it. */
const limit = { sizeOf: (text: string) => text.length * 2, atMost: 900_000 };

/** The service's code, which its client hands on in the details. */
const codes = {
  noTable: "TableNotFound",
  gone: "ResourceNotFound",
  there: "EntityAlreadyExists",
  changed: "UpdateConditionNotSatisfied",
} as const;

export const azureItems = (table: AzureTable, { sending, tell }: Parameters<Bind>[0]): ItemStore => {
  const name = "azure-tables";

  const calling = (abortSignal: AbortSignal): Calling => {
    const sentAt = sending();
    // also of what is refused; the client may repeat a request, and a later answer to an earlier one bounds it as well
    return { abortSignal, onResponse: ({ headers }) => tell(headers.get("date"), sentAt) };
  };

  const get: ItemStore["get"] = async (key, signal) => {
    const entity = await unless([codes.gone], () => table.getEntity(key.partition, rowKeyOf(key.row), calling(signal)));
    return entity === null ? null : itemOf(entity as Entity & Answered);
  };

  return {
    name,
    limit,
    isThere: async (signal) => {
      try {
        await get({ partition: "schema", row: "" }, signal);
        return true;
      } catch (error) {
        if (codeOf(error) === codes.noTable) return false;
        throw error;
      }
    },
    create: async (signal) => {
      await table.createTable(calling(signal));
    },
    get,
    insert: async (key, content, signal) => {
      const entity = entityOf(key, content);
      return etagOf(await unless([codes.there], () => table.createEntity(entity, calling(signal))));
    },
    replace: async (key, content, etag, signal) => {
      const options = { ...calling(signal), etag };
      const entity = entityOf(key, content);
      return etagOf(await unless([codes.gone, codes.changed], () => table.updateEntity(entity, "Replace", options)));
    },
    put: async (key, content, signal) => {
      await table.upsertEntity(entityOf(key, content), "Replace", calling(signal));
    },
    remove: async ({ partition, row }, tag, signal) => {
      const options = { ...calling(signal), etag: tag ?? "*" };
      const removed = await unless([codes.gone, codes.changed], async () => {
        await table.deleteEntity(partition, rowKeyOf(row), options);
        return true;
      });
      return removed ?? false;
    },
    list: async ({ partition, from, before, limit }, signal) => {
      const conditions = [
        `PartitionKey eq ${quoted(partition)}`,
        `RowKey ${from.inclusive ? "ge" : "gt"} ${quoted(rowKeyOf(from.row))}`,
        ...(before === null ? [] : [`RowKey lt ${quoted(rowKeyOf(before))}`]),
      ];
      const pages = table.listEntities({ ...calling(signal), queryOptions: { filter: conditions.join(" and ") } });
      const found: Item[] = [];
      // a page may hold less than it was asked for, and another follow
      for await (const page of pages.byPage({ maxPageSize: Math.min(limit, defaults.items.page) })) {
        found.push(...page.map((entity) => itemOf(entity as Entity & Answered)));
        if (found.length >= limit) break;
      }
      return found.slice(0, limit);
    },
    scan: async ({ prefix, overBefore, after }, signal) => {
      const conditions = [
        `PartitionKey ge ${quoted(prefix)}`,
        // the first one behind all characters of such names
        `PartitionKey lt ${quoted(`${prefix}~`)}`,
        ...(overBefore === null ? [] : [`overAt le ${quoted(instant(overBefore))}`]),
      ];
      const pages = table.listEntities({ ...calling(signal), queryOptions: { filter: conditions.join(" and ") } });
      const continuing = after === null ? {} : { continuationToken: after };
      for await (const page of pages.byPage({ maxPageSize: defaults.items.page, ...continuing })) {
        const items = page.map((entity) => itemOf(entity as Entity & Answered));
        return { items, next: page.continuationToken ?? null };
      }
      return { items: [], next: null };
    },
  };
};

function entityOf({ partition, row }: ItemKey, { text, overAt }: Content): Entity {
  const entity: Entity = { partitionKey: partition, rowKey: rowKeyOf(row) };
  for (const [place, chunk] of chunksOf(text).entries()) entity[`text${place}`] = chunk;
  if (overAt !== null) entity["overAt"] = instant(overAt);
  return entity;
}

function itemOf(entity: Entity & Answered): Item {
  let text = "";
  for (let place = 0; ; place++) {
    const chunk = entity[`text${place}`];
    if (chunk === undefined) break;
    text += chunk;
  }
  return { key: { partition: entity.partitionKey, row: rowOf(entity.rowKey) }, text, tag: entity.etag ?? "" };
}

function chunksOf(text: string): readonly string[] {
  const chunks: string[] = [];
  for (let from = 0; from < text.length; ) {
    const end = from + chunkLength;
    const isHalved = /[\ud800-\udbff]/.test(text.charAt(end - 1)) && end < text.length;
    chunks.push(text.slice(from, isHalved ? end - 1 : end));
    from = isHalved ? end - 1 : end;
  }
  return chunks;
}

/** Instants are compared as text. */
function instant(at: number): string {
  return String(Math.floor(at)).padStart(16, "0");
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

function etagOf(answer: Answered | null): string | null {
  if (answer === null) return null;
  if (answer.etag === undefined) throw new TypeError("the store told no ETag");
  return answer.etag;
}

/** `null`: the service refused it for one of these reasons. */
async function unless<T>(refusals: readonly string[], ask: () => Promise<T>): Promise<T | null> {
  try {
    return await ask();
  } catch (error) {
    if (refusals.includes(codeOf(error))) return null;
    throw error;
  }
}

function codeOf(error: unknown): string {
  const { code, details } = error as {
    readonly code?: unknown;
    readonly details?: { readonly odataError?: { readonly code?: unknown } | undefined } | undefined;
  };
  const told = details?.odataError?.code ?? code;
  return typeof told === "string" ? told : "";
}
