/** Blanks and comments; what stands in `/*!` and `/*M!` is no comment to the server. */
const leading = /^(?:\s|;|\(|--\s[^\n]*(?:\n|$)|#[^\n]*(?:\n|$)|\/\*(?!M?!)[\s\S]*?\*\/)*/i;

const ends = new RegExp(
  `^(?:${[
    String.raw`\/\*M?!`,
    "begin",
    "start",
    "commit",
    String.raw`rollback(?!\s+(?:work\s+)?to\b)`,
    "xa",
    String.raw`set\b[^;]*\bautocommit`,
    // these commit what is open before they run
    String.raw`(?:create|drop)(?!\s+(?:or\s+replace\s+)?temporary)`,
    "alter",
    "rename",
    "truncate",
    "lock",
    "unlock",
    "grant",
    "revoke",
    "analyze",
    "optimize",
    "repair",
    "check",
    "cache",
    "flush",
    "reset",
    "install",
    "uninstall",
    String.raw`load\s+index`,
    String.raw`set\s+password`,
  ].join("|")})(?![a-z0-9_$])`,
  "i",
);

/** Whether a statement would commit or roll back the open transaction; a procedure's or a dynamic one cannot be seen. */
export function endsTransaction(text: string): boolean {
  return ends.test(text.replace(leading, ""));
}

const quotedOrComment = /'(?:[^'\\]|''|\\.)*'|"(?:[^"\\]|""|\\.)*"|`[^`]*`|--\s[^\n]*|#[^\n]*|\/\*(?!M?!)[\s\S]*?\*\//g;

/** A pool with `multipleStatements` would run them all, and nobody would see which of them ended the transaction. */
export function hasSeveral(text: string): boolean {
  if (!text.includes(";")) return false;
  return /;[\s;]*[^\s;]/.test(text.replace(quotedOrComment, " "));
}
