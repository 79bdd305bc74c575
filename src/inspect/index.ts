export { type Dialect, dialects, type Finding } from "./finding.ts";
export { mysqlCatalogue, postgresCatalogue, postgresFunctions, sqliteCatalogue } from "./keys/catalogue.ts";
export { type Database, inspectKeys, type Keyless, type KeyReport } from "./keys/inspect.ts";
export { lintSql } from "./lint.ts";
