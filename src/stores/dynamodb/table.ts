import { randomUUID } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { defaults } from "../../base/defaults.ts";
import type { Bind } from "../items/host.ts";
import type { Content, Item, ItemKey, ItemStore } from "../items/item-store.ts";

/** A `DynamoDB` of `@aws-sdk/client-dynamodb`, as little of it as is used. */
export interface DynamoClient {
  getItem(input: GetInput, options: Calling): Promise<{ readonly Item?: StoredAttributes | undefined }>;
  putItem(input: PutInput, options: Calling): Promise<object>;
  deleteItem(input: DeleteInput, options: Calling): Promise<object>;
  query(input: QueryInput, options: Calling): Promise<Found>;
  scan(input: ScanInput, options: Calling): Promise<Found>;
  createTable(input: CreateInput, options: Calling): Promise<object>;
  describeTable(
    input: { TableName: string },
    options: Calling,
  ): Promise<{ readonly Table?: { readonly TableStatus?: string | undefined } | undefined }>;
  readonly middlewareStack: {
    add(middleware: Middleware, options: { step: "deserialize"; name: string; override: true; priority: "high" }): void;
  };
}

interface Calling {
  abortSignal: AbortSignal;
}
/** The service's strings: all that is stored here. */
type Attributes = Record<string, { S: string }>;
type StoredAttributes = Readonly<Record<string, { readonly S?: string | undefined }>>;
interface Conditional {
  ConditionExpression?: string;
  ExpressionAttributeValues?: Attributes;
}
interface GetInput {
  TableName: string;
  Key: Attributes;
  ConsistentRead: true;
}
interface PutInput extends Conditional {
  TableName: string;
  Item: Attributes;
}
interface DeleteInput extends Conditional {
  TableName: string;
  Key: Attributes;
}
interface QueryInput {
  TableName: string;
  ConsistentRead: true;
  KeyConditionExpression: string;
  ExpressionAttributeValues: Attributes;
  Limit: number;
  ExclusiveStartKey?: Attributes;
}
interface ScanInput {
  TableName: string;
  ConsistentRead: true;
  FilterExpression: string;
  ExpressionAttributeValues: Attributes;
  ExclusiveStartKey?: Attributes;
}
interface Found {
  readonly Items?: readonly StoredAttributes[] | undefined;
  readonly LastEvaluatedKey?: StoredAttributes | undefined;
}
interface CreateInput {
  TableName: string;
  BillingMode: "PAY_PER_REQUEST";
  AttributeDefinitions: { AttributeName: string; AttributeType: "S" }[];
  KeySchema: { AttributeName: string; KeyType: "HASH" | "RANGE" }[];
}
type Middleware = (next: Handler) => Handler;
// biome-ignore lint/suspicious/noExplicitAny: whatever the operation takes is passed on
type Handler = (request: any) => Promise<{ output?: any; response: unknown }>;

/** 400 KB with its names and keys. */
const limit = { sizeOf: (text: string) => Buffer.byteLength(text), atMost: 390_000 };

const pollMs = 200;

/** When each answer was made, as its header says: the client hands on no headers, but of an error's. */
const dates = new WeakMap<object, string>();

const keepDate: Middleware = (next) => async (request) => {
  const answer = await next(request);
  const date = dateOf(answer.response);
  if (date !== undefined) dates.set(answer.output, date);
  return answer;
};

export function dynamoItems(client: DynamoClient, table: string, { sending, tell }: Parameters<Bind>[0]): ItemStore {
  client.middlewareStack.add(keepDate, {
    step: "deserialize",
    name: "repriseKeepsDate",
    override: true,
    priority: "high",
  });
  const TableName = table;

  /** One operation, whose answer's date is told; also of what is refused. */
  const ask = async <A extends object>(operation: (options: Calling) => Promise<A>, abortSignal: AbortSignal) => {
    const sentAt = sending();
    try {
      const answer = await operation({ abortSignal });
      tell(dates.get(answer), sentAt);
      return answer;
    } catch (error) {
      const date = dateOf((error as { readonly $response?: unknown }).$response);
      if (date !== undefined) tell(date, sentAt);
      throw error;
    }
  };

  /** Writes the item with a new tag. `null`: the condition does not hold. */
  const write = async (key: ItemKey, content: Content, condition: Conditional, signal: AbortSignal) => {
    const mark = randomUUID();
    const put = () => ask((options) => client.putItem(putting(key, content, mark, condition), options), signal);
    return (await unlessRefused(put)) === null ? null : mark;
  };
  const putting = (key: ItemKey, { text, overAt }: Content, mark: string, condition: Conditional): PutInput => {
    const over = overAt === null ? {} : { overAt: { S: instant(overAt) } };
    return { TableName, Item: { ...keyOf(key), text: { S: text }, mark: { S: mark }, ...over }, ...condition };
  };

  const get: ItemStore["get"] = async (key, signal) => {
    const input: GetInput = { TableName, Key: keyOf(key), ConsistentRead: true };
    const { Item } = await ask((options) => client.getItem(input, options), signal);
    return Item === undefined ? null : itemOf(Item);
  };

  const create = async (signal: AbortSignal): Promise<void> => {
    const input: CreateInput = {
      TableName,
      BillingMode: "PAY_PER_REQUEST",
      AttributeDefinitions: ["p", "r"].map((AttributeName) => ({ AttributeName, AttributeType: "S" })),
      KeySchema: [
        { AttributeName: "p", KeyType: "HASH" },
        { AttributeName: "r", KeyType: "RANGE" },
      ],
    };
    // another instance may be making it
    await unlessRefused(() => ask((options) => client.createTable(input, options), signal), "ResourceInUseException");
    for (;;) {
      const { Table } = await ask((options) => client.describeTable({ TableName }, options), signal);
      if (Table?.TableStatus === "ACTIVE") return;
      await pause(pollMs, undefined, { signal });
    }
  };

  return {
    name: "dynamodb",
    limit,
    isThere: async (signal) => {
      const asked = () => get({ partition: "schema", row: "" }, signal);
      return (await unlessRefused(async () => [await asked()], "ResourceNotFoundException")) !== null;
    },
    create,
    get,
    insert: (key, content, signal) => write(key, content, { ConditionExpression: "attribute_not_exists(p)" }, signal),
    replace: (key, content, tag, signal) => write(key, content, marked(tag), signal),
    put: async (key, content, signal) => {
      await write(key, content, {}, signal);
    },
    remove: async (key, tag, signal) => {
      const condition = tag === null ? { ConditionExpression: "attribute_exists(p)" } : marked(tag);
      const input: DeleteInput = { TableName, Key: keyOf(key), ...condition };
      return (await unlessRefused(() => ask((options) => client.deleteItem(input, options), signal))) !== null;
    },
    list: async ({ partition, from, before, limit }, signal) => {
      const first = rowAttribute(from.row);
      const last = before === null ? beyond : rowAttribute(before);
      const input: QueryInput = {
        TableName,
        ConsistentRead: true,
        // it takes one condition on a row: both ends are in it, and are left out here where they should be
        KeyConditionExpression: "p = :p and r between :first and :last",
        ExpressionAttributeValues: { ":p": { S: partition }, ":first": { S: first }, ":last": { S: last } },
        Limit: Math.min(limit + 2, defaults.items.page),
      };
      const found: Item[] = [];
      for (;;) {
        const { Items = [], LastEvaluatedKey } = await ask((options) => client.query(input, options), signal);
        for (const attributes of Items) {
          const row = attributes["r"]?.S;
          if (row !== last && (from.inclusive || row !== first)) found.push(itemOf(attributes));
        }
        if (LastEvaluatedKey === undefined || found.length >= limit) return found.slice(0, limit);
        input.ExclusiveStartKey = continuingAt(LastEvaluatedKey);
      }
    },
    scan: async ({ prefix, overBefore, after }, signal) => {
      const over = overBefore === null ? {} : { ":over": { S: instant(overBefore) } };
      const input: ScanInput = {
        TableName,
        ConsistentRead: true,
        FilterExpression: `begins_with(p, :prefix)${overBefore === null ? "" : " and overAt <= :over"}`,
        ExpressionAttributeValues: { ":prefix": { S: prefix }, ...over },
        ...(after === null ? {} : { ExclusiveStartKey: JSON.parse(after) as Attributes }),
      };
      const { Items = [], LastEvaluatedKey } = await ask((options) => client.scan(input, options), signal);
      const next = LastEvaluatedKey === undefined ? null : JSON.stringify(continuingAt(LastEvaluatedKey));
      return { items: Items.map(itemOf), next };
    },
  };
}

/** A key may not be empty. */
const rowPrefix = "=";
/** Behind all rows. */
const beyond = ">";

function rowAttribute(row: string): string {
  return `${rowPrefix}${row}`;
}

function keyOf({ partition, row }: ItemKey): Attributes {
  return { p: { S: partition }, r: { S: rowAttribute(row) } };
}

function continuingAt({ p, r }: StoredAttributes): Attributes {
  return { p: { S: p?.S ?? "" }, r: { S: r?.S ?? "" } };
}

function itemOf({ p, r, text, mark }: StoredAttributes): Item {
  const row = (r?.S ?? "").slice(rowPrefix.length);
  return { key: { partition: p?.S ?? "", row }, text: text?.S ?? "", tag: mark?.S ?? "" };
}

function marked(tag: string): Conditional {
  return { ConditionExpression: "mark = :mark", ExpressionAttributeValues: { ":mark": { S: tag } } };
}

/** Instants are compared as text. */
function instant(at: number): string {
  return String(Math.floor(at)).padStart(16, "0");
}

/** `null`: the service refused it for this reason. */
async function unlessRefused<T>(ask: () => Promise<T>, reason = "ConditionalCheckFailedException"): Promise<T | null> {
  try {
    return await ask();
  } catch (error) {
    if (nameOf(error) === reason) return null;
    throw error;
  }
}

function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : "";
}

function dateOf(response: unknown): string | undefined {
  const { headers } = (response ?? {}) as { readonly headers?: Readonly<Record<string, string>> | undefined };
  return headers?.["date"];
}
