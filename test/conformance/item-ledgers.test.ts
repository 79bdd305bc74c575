import { ledgerSuite } from "../../src/testing/index.ts";
import { describeOnItems } from "../support/item-ledgers.ts";
import { describeSuite } from "../support/suite.ts";

describeOnItems((adapter, missing) => describeSuite("the ledger suite", ledgerSuite(adapter), missing));
