import { afterAll, beforeAll, describe, test } from "vitest";
import { ledgerSuite } from "../../src/testing/index.ts";
import { doesNotApply } from "../support/environment.ts";
import { noRedisHere } from "../support/redis.ts";
import { redisLedgers } from "../support/redis-ledgers.ts";

const missing = noRedisHere();

describe.each(redisLedgers)("the ledger suite on $adapter.name", ({ adapter, start }) => {
  let started: { readonly stop: () => Promise<void> } | undefined;
  beforeAll(async () => {
    if (missing === undefined) started = await start();
  });
  afterAll(() => started?.stop());
  for (const { name, skip, run } of ledgerSuite(adapter)) {
    test(name, async (context) => {
      if (skip !== null) context.skip(`${doesNotApply}${skip}`);
      if (missing !== undefined) context.skip(missing);
      await run();
    });
  }
});
