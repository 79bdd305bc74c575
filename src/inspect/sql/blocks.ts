import type { Dialect } from "../finding.ts";
import { scanSql, type Token } from "./tokens.ts";

/** A script as far as its order matters: what runs after what, and what only if. Loops and blocks are taken as their contents. */
export type Node =
  | { readonly is: "statement"; readonly tokens: readonly Token[] }
  | {
      readonly is: "if";
      readonly condition: readonly Token[];
      readonly met: readonly Node[];
      readonly otherwise: readonly Node[];
    }
  /** The body of a function, a procedure or a trigger: it runs at some other time than what stands around it. */
  | { readonly is: "unit"; readonly nodes: readonly Node[] };

/** Deeper than programs are, far from where the stack ends. */
const deepest = 120;

const transactionWords = new Set([
  ...[
    "tran",
    "transaction",
    "work",
    "isolation",
    "read",
    "immediate",
    "exclusive",
    "deferred",
    "concurrent",
    "distributed",
  ],
]);
const statementVerbs = new Set([
  ...["insert", "update", "delete", "merge", "select", "with", "replace", "exec", "execute", "set", "declare", "print"],
  ...[
    "raiserror",
    "throw",
    "return",
    "truncate",
    "create",
    "alter",
    "drop",
    "commit",
    "rollback",
    "save",
    "begin",
    "if",
  ],
  ...[
    "while",
    "goto",
    "break",
    "continue",
    "fetch",
    "open",
    "close",
    "deallocate",
    "grant",
    "deny",
    "revoke",
    "use",
    "else",
  ],
  ...["waitfor", "end", "call"],
]);
const setOperators = new Set(["union", "all", "except", "intersect"]);
const routineWords = new Set(["procedure", "proc", "function", "trigger", "event"]);

/** Reads tokens into nodes. `text` is what they were scanned from; `source`, what that was made of. */
export function readBlocks(
  tokens: readonly Token[],
  dialect: Dialect,
  text: string,
  source: string,
  depth = 0,
): readonly Node[] {
  let at = 0;
  const isProcedural = dialect === "postgres" || dialect === "mysql";

  const word = (ahead = 0): string => {
    const token = tokens[at + ahead];
    return token?.kind === "word" ? token.text : "";
  };
  const sign = (ahead = 0): string => {
    const token = tokens[at + ahead];
    return token?.kind === "sign" ? token.text : "";
  };
  const isBatch = () => tokens[at]?.kind === "batch";

  return nodesUntil(new Set(), depth, true);

  /** Until one of `closers` begins a statement; that one is left to whoever opened. */
  function nodesUntil(closers: ReadonlySet<string>, level: number, isWhole: boolean): Node[] {
    const nodes: Node[] = [];
    while (at < tokens.length) {
      if (isBatch()) {
        if (!isWhole) break;
        at += 1;
      } else if (word() === "end" && closers.has("end")) {
        // loops were entered without a word, so their ends are passed by
        if (!isProcedural || !["loop", "while", "repeat", "case", "for"].includes(word(1))) break;
        skipTo(";");
      } else if (closers.has(word())) break;
      else nodes.push(...next(level));
    }
    return nodes;
  }

  function next(level: number): readonly Node[] {
    const from = at;
    const found = level >= deepest ? [plain()] : nextOf(level);
    // whatever it is, it is passed
    if (at === from) at += 1;
    return found.filter((node) => node.is !== "statement" || node.tokens.length > 0);
  }

  function nextOf(level: number): readonly Node[] {
    if (sign() === ";") {
      at += 1;
      return [];
    }
    if (sign() === "<" && sign(1) === "<" && sign(3) === ">" && sign(4) === ">") {
      at += 5;
      return [];
    }
    if (isProcedural && word() !== "" && sign(1) === ":" && sign(2) !== "=" && tokens[at + 2]?.kind === "word") {
      at += 2;
      return [];
    }
    switch (word()) {
      case "begin":
        return opensBlock() ? block(level) : [plain()];
      case "if":
        return dialect === "tsql" ? shortIf(level) : isProcedural ? [longIf(level)] : [plain()];
      case "end":
        if (dialect === "tsql") at += 1;
        else skipTo(";");
        return [];
      case "else":
      case "loop":
      case "repeat":
      case "exception":
        if (!isProcedural && word() !== "else") return [plain()];
        at += 1;
        return [];
      case "while":
        if (dialect === "tsql") return shortWhile(level);
        return isProcedural ? [header(["loop", "do"])] : [plain()];
      case "for":
      case "foreach":
        return isProcedural ? [header(["loop", "do"])] : [plain()];
      case "when":
      case "case":
        return isProcedural ? [header(["then"])] : [plain()];
      case "do":
        return dialect === "postgres" ? withBodies(plain(), level) : [plain()];
      case "create":
      case "alter":
        return isRoutine() ? routine(level) : [plain()];
      default:
        return [plain()];
    }
  }

  function opensBlock(): boolean {
    const following = tokens[at + 1];
    if (following === undefined || following.text === ";" || following.kind === "batch") return false;
    // `begin work: loop`
    if (sign(2) === ":") return true;
    return !(following.kind === "word" && transactionWords.has(following.text));
  }

  function block(level: number): readonly Node[] {
    at += 1;
    if (["try", "catch", "atomic"].includes(word())) at += 1;
    const nodes = nodesUntil(new Set(["end"]), level + 1, false);
    if (word() === "end") {
      at += 1;
      if (["try", "catch"].includes(word())) at += 1;
      else if (dialect !== "tsql" && word() !== "" && !statementVerbs.has(word())) at += 1;
    }
    return nodes;
  }

  function longIf(level: number): Node {
    const then = find(["then"]);
    if (then === undefined) return plain();
    const condition = tokens.slice(at + 1, then);
    at = then + 1;
    const closers = new Set(["elsif", "elseif", "else", "end"]);
    const nodes = nodesUntil(closers, level + 1, false);
    let otherwise: readonly Node[] = [];
    if ((word() === "elsif" || word() === "elseif") && level < deepest) {
      otherwise = [longIf(level + 1)];
    } else {
      if (word() === "else") {
        at += 1;
        otherwise = nodesUntil(new Set(["end"]), level + 1, false);
      }
      if (word() === "end") at += word(1) === "if" ? 2 : 1;
    }
    return { is: "if", condition, met: nodes, otherwise };
  }

  function shortIf(level: number): readonly Node[] {
    const condition = shortCondition();
    const met = one(level + 1);
    let otherwise: readonly Node[] = [];
    if (sign() === ";" && word(1) === "else") at += 1;
    if (word() === "else") {
      at += 1;
      otherwise = one(level + 1);
    }
    return [{ is: "if", condition, met, otherwise }];
  }

  function shortWhile(level: number): readonly Node[] {
    const condition = shortCondition();
    return [{ is: "statement", tokens: condition }, ...one(level + 1)];
  }

  /** Until a statement begins. */
  function shortCondition(): readonly Token[] {
    at += 1;
    const from = at;
    for (let open = 0; at < tokens.length; at += 1) {
      open += opening();
      if (open <= 0 && (sign() === ";" || isBatch() || (statementVerbs.has(word()) && sign(1) !== "("))) break;
    }
    return tokens.slice(from, at);
  }

  function one(level: number): readonly Node[] {
    if (at >= tokens.length || isBatch() || word() === "end" || word() === "else") return [];
    return next(level);
  }

  /** To the word that ends what a loop or a case begins with, which is passed too. */
  function header(ends: readonly string[]): Node {
    const to = find(ends);
    if (to === undefined) return plain();
    const node: Node = { is: "statement", tokens: tokens.slice(at, to) };
    at = to + 1;
    return node;
  }

  /** Where, before the statement's end and outside of a case, one of the words stands. */
  function find(words: readonly string[]): number | undefined {
    let cases = 0;
    for (let to = at + 1; to < tokens.length; to += 1) {
      const token = tokens[to];
      if (token === undefined || token.kind === "batch" || (token.kind === "sign" && token.text === ";"))
        return undefined;
      if (token.kind !== "word") continue;
      if (cases === 0 && words.includes(token.text)) return to;
      if (token.text === "case") cases += 1;
      else if (token.text === "end") cases = Math.max(0, cases - 1);
    }
    return undefined;
  }

  function isRoutine(): boolean {
    for (let ahead = 1; ahead < 16; ahead += 1) {
      if (routineWords.has(word(ahead))) return true;
      if (["table", "index", "view", "user", "role", "schema", "type"].includes(word(ahead))) return false;
      if (sign(ahead) === ";" || sign(ahead) === "(") return false;
    }
    return false;
  }

  function routine(level: number): readonly Node[] {
    if (dialect === "postgres") {
      const atomic = find(["atomic"]);
      if (atomic === undefined || tokens[atomic - 1]?.text !== "begin") return withBodies(plain(), level);
      at = atomic - 1;
      return [{ is: "unit", nodes: block(level) }];
    }
    const isSql = dialect === "tsql";
    for (let open = 0; at < tokens.length; at += 1) {
      open += opening();
      if (sign() === ";" || isBatch()) return [];
      if (open > 0) continue;
      if (isSql && word() === "as" && !["execute", "exec"].includes(word(-1))) {
        at += 1;
        return [{ is: "unit", nodes: nodesUntil(new Set(), level + 1, false) }];
      }
      if (isSql) continue;
      const before = tokens[at - 1];
      const ends =
        before?.text === ")" || ["row", "sql", "data", "deterministic", "do", "invoker", "definer"].includes(word(-1));
      if (word() === "begin" || (statementVerbs.has(word()) && ends) || (word() === "replace" && ends)) {
        return [{ is: "unit", nodes: one(level + 1) }];
      }
    }
    return [];
  }

  /** What PostgreSQL keeps as a string and runs as a program. */
  function withBodies(node: Node, level: number): readonly Node[] {
    const nodes: Node[] = [node];
    if (node.is !== "statement" || level >= deepest / 2) return nodes;
    node.tokens.forEach((token, place) => {
      const body = token.kind === "body" ? token.text.length : token.kind === "string" ? 1 : 0;
      const isBody = node.tokens[0]?.text === "do" || node.tokens[place - 1]?.text === "as";
      if (body === 0 || !isBody) return;
      const from = token.start + (token.kind === "string" ? text.indexOf("'", token.start) - token.start + 1 : body);
      const to = Math.max(from, token.end - body);
      // a doubled quote is one: written as a quote and a blank, everything stays in its place
      const inner = token.kind === "body" ? text : text.slice(0, from) + text.slice(from, to).replaceAll("''", "' ");
      const { tokens: scanned } = scanSql(inner, dialect, from, to, source);
      nodes.push({ is: "unit", nodes: readBlocks(scanned, dialect, inner, source, level + 1) });
    });
    return nodes;
  }

  function plain(): Node {
    const from = at;
    if (dialect === "tsql") passStatement();
    else passTo(";");
    const node: Node = { is: "statement", tokens: tokens.slice(from, at) };
    if (sign() === ";") at += 1;
    return node;
  }

  function passTo(end: string): void {
    while (at < tokens.length && sign() !== end && !isBatch()) at += 1;
  }

  function skipTo(end: string): void {
    passTo(end);
    at += 1;
  }

  function opening(): number {
    const text = sign();
    return text === "(" ? 1 : text === ")" ? -1 : 0;
  }

  /** T-SQL puts nothing between statements: the next one's verb is what ends one. */
  function passStatement(): void {
    let verb = word();
    let hasSource = false;
    let hasSet = false;
    at += 1;
    for (let open = 0; at < tokens.length; at += 1) {
      open += opening();
      if (sign() === ";" || isBatch()) return;
      if (open > 0) continue;
      const now = word();
      const before = word(-1);
      if (verb === "insert" && (now === "values" || now === "default")) hasSource = true;
      if (!statementVerbs.has(now) || verb === "grant" || verb === "revoke" || verb === "deny") continue;
      if (now === "end" && hasCase(at)) continue;
      if (now === "end" || now === "else") {
        if (now === "else" && insideCase(at)) continue;
        return;
      }
      if (verb === "merge" && ["insert", "update", "delete", "set", "with"].includes(now)) continue;
      if (verb === "with" && ["select", "insert", "update", "delete", "merge"].includes(now)) {
        verb = now;
        continue;
      }
      if (verb === "insert" && !hasSource && ["select", "exec", "execute", "with", "merge"].includes(now)) {
        hasSource = now !== "with";
        continue;
      }
      if (verb === "update" && now === "set" && !hasSet) {
        hasSet = true;
        continue;
      }
      if (now === "with" || now === "replace" || now === "save" || now === "use" || now === "open" || now === "close")
        continue;
      if (now === "select" && setOperators.has(before)) continue;
      if (["on", "for", "after", "of", "instead", "begin", "or", "as"].includes(before) || tokens[at - 1]?.text === ",")
        continue;
      if (sign(1) === "(" && (now === "update" || now === "replace")) continue;
      if (now === "fetch" || now === "set" ? verb === "select" || verb === "alter" : false) continue;
      return;
    }
  }

  /** Whether the `end`, or the `else`, at `place` is a case's of this statement. */
  function hasCase(place: number): boolean {
    return openCases(place) > 0;
  }
  function insideCase(place: number): boolean {
    return openCases(place) > 0;
  }
  function openCases(place: number): number {
    let ends = 0;
    for (let back = place - 1; back >= 0 && place - back < 400; back -= 1) {
      const token = tokens[back];
      if (token === undefined || token.text === ";" || token.kind === "batch") break;
      if (token.kind !== "word") continue;
      if (token.text === "end") ends += 1;
      else if (token.text === "case") {
        if (ends === 0) return 1;
        ends -= 1;
      } else if (token.text === "begin") {
        if (ends === 0) return 0;
        ends -= 1;
      }
    }
    return 0;
  }
}
