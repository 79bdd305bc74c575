import { ledgerSuite } from "../../src/testing/index.ts";
import { describeOnRedis } from "../support/redis-ledgers.ts";
import { describeSuite } from "../support/suite.ts";

describeOnRedis((adapter, missing) => describeSuite("the ledger suite", ledgerSuite(adapter), missing));
