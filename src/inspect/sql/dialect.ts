import type { Dialect } from "../finding.ts";
import { scanSql } from "./tokens.ts";

const signs: Readonly<Record<Dialect, readonly RegExp[]>> = {
  tsql: [
    ...[
      /^[ \t]*go[ \t]*\r?$/im,
      /\bdbo\s*\./i,
      /\bn?varchar\s*\(\s*max\s*\)/i,
      /\bset\s+nocount\b/i,
      /@@\w+/,
      /\[\w+\]\s*\.\s*\[\w+\]/,
    ],
    ...[
      /\b(?:holdlock|updlock|nolock|rowlock)\b/i,
      /\bidentity\s*\(\s*1\s*,/i,
      /\bbegin\s+(?:try|tran\b|catch)/i,
      /\bnvarchar\b/i,
    ],
    ...[
      /\bgetdate\s*\(/i,
      /\bdeclare\s+@\w+/i,
      /\bselect\s+top\s*\(?\d/i,
      /\binsert\s+(?:into\s+)?\[/i,
      /\bsysutcdatetime\b/i,
    ],
    ...[
      /\bwhen\s+not\s+matched\s+by\s+(?:target|source)\b/i,
      /\bif\s+(?:not\s+)?exists\s*\(\s*select\b[^;]{0,2000}?\)\s*(?:begin\b|insert\b|update\b)/i,
    ],
  ],
  mysql: [
    ...[
      /`\w+`/,
      /^[ \t]*delimiter\s+\S+/im,
      /\bengine\s*=/i,
      /\bon\s+duplicate\s+key\b/i,
      /\binsert\s+(?:\w+\s+)?ignore\b/i,
    ],
    ...[
      /\bauto_increment\b/i,
      /\bfrom\s+dual\b/i,
      /\bunsigned\b/i,
      /\brow_count\s*\(/i,
      /\bget_lock\s*\(/i,
      /\bdeclare\s+\w+\s+handler\b/i,
    ],
    ...[/\bdeclare\s+(?:continue|exit)\s+handler\b/i, /\bstart\s+transaction\b/i],
  ],
  sqlite: [
    ...[
      /\binsert\s+or\s+\w+/i,
      /\bpragma\b/i,
      /\bautoincrement\b/i,
      /\bwithout\s+rowid\b/i,
      /\bbegin\s+(?:immediate|exclusive|deferred)\b/i,
    ],
    ...[/\bstrftime\s*\(/i, /\bsqlite_\w+/i],
  ],
  postgres: [
    ...[
      /\$\w*\$/,
      /\bplpgsql\b/i,
      /::\s*\w/,
      /\bon\s+conflict\b/i,
      /\breturning\b/i,
      /\b(?:big)?serial\b/i,
      /\btimestamptz\b/i,
      /\bjsonb\b/i,
    ],
    ...[/\bpg_\w+/i, /\bperform\b/i, /\$\d/],
  ],
};

const endings: readonly (readonly [RegExp, Dialect])[] = [
  [/[./_-](?:pgsql|plpgsql|psql|postgres|postgresql|pg)(?:[./_-]|$)/i, "postgres"],
  [/[./_-](?:mysql|mariadb)(?:[./_-]|$)/i, "mysql"],
  [/[./_-](?:sqlite3?)(?:[./_-]|$)/i, "sqlite"],
  [/[./_-](?:tsql|mssql|sqlserver)(?:[./_-]|$)/i, "tsql"],
];

/** From the name, else from what only one dialect writes; PostgreSQL where neither tells. */
export function guessDialect(text: string, file: string): Dialect {
  const named = endings.find(([ending]) => ending.test(file))?.[1];
  if (named !== undefined) return named;
  const bare = bareOf(text.slice(0, 200_000));
  let best: Dialect = "postgres";
  let most = 0;
  for (const dialect of ["postgres", "tsql", "mysql", "sqlite"] as const) {
    const count = signs[dialect].filter((sign) => sign.test(bare)).length;
    if (count > most) {
      best = dialect;
      most = count;
    }
  }
  return best;
}

/** Without what is said in comments and strings. */
function bareOf(text: string): string {
  const { tokens, comments } = scanSql(text, "postgres");
  const left = [...comments, ...tokens.filter(({ kind }) => kind === "string")].sort(
    (one, other) => one.start - other.start,
  );
  let at = 0;
  const kept: string[] = [];
  for (const { start, end } of left) {
    kept.push(text.slice(at, start));
    at = end;
  }
  return [...kept, text.slice(at)].join(" ");
}

const packages: readonly (readonly [RegExp, Dialect])[] = [
  [
    /["'](?:better-sqlite3|node:sqlite|libsql|@libsql\/client|sqlite3?|bun:sqlite|expo-sqlite|drizzle-orm\/(?:better-)?sqlite[\w-]*)["']/,
    "sqlite",
  ],
  [/["'](?:mysql2?(?:\/promise)?|mariadb|drizzle-orm\/mysql[\w-]*)["']/, "mysql"],
  [/["'](?:mssql|tedious)["']/, "tsql"],
  [
    /["'](?:pg|pg-promise|postgres|@neondatabase\/serverless|@vercel\/postgres|drizzle-orm\/(?:pg|node-postgres|postgres)[\w-]*)["']/,
    "postgres",
  ],
];

/** Of a program: from the driver that it imports, else as its statements are written. */
export function guessProgramDialect(text: string, file: string, statements: string): Dialect {
  return packages.find(([name]) => name.test(text))?.[1] ?? guessDialect(statements, file);
}
