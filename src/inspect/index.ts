export { type Dialect, dialects, type Finding } from "./finding.ts";
export { type LintOptions, lintSql } from "./lint.ts";
