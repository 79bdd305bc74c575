import type { Dialect } from "../finding.ts";
import { Cursor } from "./cursor.ts";
import { passCondition, passStatement, statementVerbs } from "./extent.ts";
import { isRoutine, storedBodies, toBody } from "./routines.ts";
import type { Token } from "./tokens.ts";

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

const transactionWords = new Set(
  "tran transaction work isolation read immediate exclusive deferred concurrent distributed".split(" "),
);

/** Reads tokens into nodes. `text` is what they were scanned from; `source`, what that was made of. */
export function readBlocks(tokens: readonly Token[], dialect: Dialect, text: string, source: string): readonly Node[] {
  return new Reader(new Cursor(tokens, dialect), text, source).nodesUntil([], 0, true);
}

class Reader {
  readonly #cursor: Cursor;
  readonly #text: string;
  readonly #source: string;

  constructor(cursor: Cursor, text: string, source: string) {
    this.#cursor = cursor;
    this.#text = text;
    this.#source = source;
  }

  /** Until one of `closers` begins a statement; that one is left to whoever opened. */
  nodesUntil(closers: readonly string[], level: number, isWhole = false): Node[] {
    const cursor = this.#cursor;
    const nodes: Node[] = [];
    while (!cursor.isAtEnd) {
      if (cursor.isBatch) {
        if (!isWhole) break;
        cursor.at += 1;
      } else if (cursor.word() === "end" && closers.includes("end")) {
        // loops were entered without a word, so their ends are passed by
        if (!cursor.isProcedural || !["loop", "while", "repeat", "for"].includes(cursor.word(1))) break;
        cursor.pastSemicolon();
      } else if (closers.includes(cursor.word())) break;
      else nodes.push(...this.#next(level));
    }
    return nodes;
  }

  #next(level: number): readonly Node[] {
    const from = this.#cursor.at;
    const found = level >= deepest ? [this.#statement()] : this.#read(level);
    // whatever it is, it is passed
    if (this.#cursor.at === from) this.#cursor.at += 1;
    return found.filter((node) => node.is !== "statement" || node.tokens.length > 0);
  }

  #read(level: number): readonly Node[] {
    const cursor = this.#cursor;
    const { dialect, isProcedural } = cursor;
    if (cursor.sign() === ";") return this.#pass(1);
    if (isLabel(cursor)) return this.#pass(5);
    if (isProcedural && isNamed(cursor)) return this.#pass(2);
    switch (cursor.word()) {
      case "begin":
        return opensBlock(cursor) ? this.#block(level) : [this.#statement()];
      case "if":
        if (dialect === "tsql") return [this.#shortIf(level)];
        return [isProcedural ? this.#longIf(level) : this.#statement()];
      case "end":
        if (dialect === "tsql") cursor.at += 1;
        else cursor.pastSemicolon();
        return [];
      case "else":
        return this.#pass(1);
      case "loop":
      case "repeat":
      case "exception":
        return isProcedural ? this.#pass(1) : [this.#statement()];
      case "while":
        if (dialect === "tsql") return [{ is: "statement", tokens: passCondition(cursor) }, ...this.#one(level + 1)];
        return [isProcedural ? this.#header(["loop", "do"]) : this.#statement()];
      case "for":
      case "foreach":
        return [isProcedural ? this.#header(["loop", "do"]) : this.#statement()];
      case "when":
        return isProcedural ? this.#handler(level) : [this.#statement()];
      case "case":
        return [isProcedural ? this.#choice(level) : this.#statement()];
      case "do":
        return dialect === "postgres" ? this.#withBodies(level) : [this.#statement()];
      case "create":
      case "alter":
        return isRoutine(cursor) ? this.#routine(level) : [this.#statement()];
      default:
        return [this.#statement()];
    }
  }

  #pass(tokens: number): readonly Node[] {
    this.#cursor.at += tokens;
    return [];
  }

  #statement(): Node {
    return { is: "statement", tokens: passStatement(this.#cursor) };
  }

  #block(level: number): readonly Node[] {
    const cursor = this.#cursor;
    cursor.at += 1;
    if (["try", "catch", "atomic"].includes(cursor.word())) cursor.at += 1;
    const nodes = this.nodesUntil(["end"], level + 1);
    if (cursor.word() !== "end") return nodes;
    cursor.at += 1;
    const word = cursor.word();
    const isLabelled = cursor.dialect !== "tsql" && word !== "" && !statementVerbs.has(word);
    if (["try", "catch"].includes(word) || isLabelled) cursor.at += 1;
    return nodes;
  }

  /** `if … then … elsif … else … end if` */
  #longIf(level: number): Node {
    const cursor = this.#cursor;
    const then = cursor.find(["then"]);
    if (then === undefined) return this.#statement();
    const condition = cursor.tokens.slice(cursor.at + 1, then);
    cursor.at = then + 1;
    const met = this.nodesUntil(["elsif", "elseif", "else", "end"], level + 1);
    if ((cursor.word() === "elsif" || cursor.word() === "elseif") && level < deepest) {
      return { is: "if", condition, met, otherwise: [this.#longIf(level + 1)] };
    }
    return { is: "if", condition, met, otherwise: this.#otherwise("if", level) };
  }

  /** `case … when … then … else … end case`, as the IFs that it stands for */
  #choice(level: number): Node {
    const cursor = this.#cursor;
    const when = cursor.find(["when"]);
    if (when === undefined) return this.#statement();
    const compared = cursor.tokens.slice(cursor.at + 1, when);
    cursor.at = when;
    return this.#when(compared, level);
  }

  #when(compared: readonly Token[], level: number): Node {
    const cursor = this.#cursor;
    const then = cursor.find(["then"]);
    if (then === undefined) return this.#statement();
    const value = cursor.tokens.slice(cursor.at + 1, then);
    const [first] = value;
    const equals: readonly Token[] = first === undefined ? [] : [{ ...first, kind: "sign", text: "=" }];
    const condition = compared.length === 0 ? value : [...compared, ...equals, ...value];
    cursor.at = then + 1;
    const met = this.nodesUntil(["when", "else", "end"], level + 1);
    if (cursor.word() === "when" && level < deepest) {
      return { is: "if", condition, met, otherwise: [this.#when(compared, level + 1)] };
    }
    return { is: "if", condition, met, otherwise: this.#otherwise("case", level) };
  }

  /** `else … end if`, or `end if` alone */
  #otherwise(word: string, level: number): readonly Node[] {
    const cursor = this.#cursor;
    let nodes: readonly Node[] = [];
    if (cursor.word() === "else") {
      cursor.at += 1;
      nodes = this.nodesUntil(["end"], level + 1);
    }
    if (cursor.word() === "end") cursor.at += cursor.word(1) === word ? 2 : 1;
    return nodes;
  }

  /** `when unique_violation then …` after EXCEPTION: it runs only if that was raised. */
  #handler(level: number): readonly Node[] {
    const header = this.#header(["then"]);
    if (header.is !== "statement") return [header];
    const met = this.nodesUntil(["when", "end"], level + 1);
    return [header, { is: "if", condition: header.tokens.slice(1), met, otherwise: [] }];
  }

  /** T-SQL's `if … statement else statement` */
  #shortIf(level: number): Node {
    const cursor = this.#cursor;
    const condition = passCondition(cursor);
    const met = this.#one(level + 1);
    if (cursor.sign() === ";" && cursor.word(1) === "else") cursor.at += 1;
    if (cursor.word() !== "else") return { is: "if", condition, met, otherwise: [] };
    cursor.at += 1;
    return { is: "if", condition, met, otherwise: this.#one(level + 1) };
  }

  #one(level: number): readonly Node[] {
    const cursor = this.#cursor;
    if (cursor.isAtEnd || cursor.isBatch || cursor.word() === "end" || cursor.word() === "else") return [];
    return this.#next(level);
  }

  /** To the word that ends what a loop or a case begins with, which is passed too. */
  #header(ends: readonly string[]): Node {
    const cursor = this.#cursor;
    const to = cursor.find(ends);
    if (to === undefined) return this.#statement();
    const tokens = cursor.tokens.slice(cursor.at, to);
    cursor.at = to + 1;
    return { is: "statement", tokens };
  }

  #routine(level: number): readonly Node[] {
    const cursor = this.#cursor;
    if (cursor.dialect === "postgres") {
      const atomic = cursor.find(["atomic"]);
      if (atomic === undefined || cursor.tokens[atomic - 1]?.text !== "begin") return this.#withBodies(level);
      cursor.at = atomic - 1;
      return [{ is: "unit", nodes: this.#block(level) }];
    }
    const body = toBody(cursor);
    if (body === undefined) return [];
    return [{ is: "unit", nodes: body === "statements" ? this.nodesUntil([], level + 1) : this.#one(level + 1) }];
  }

  #withBodies(level: number): readonly Node[] {
    const tokens = passStatement(this.#cursor);
    const statement: Node = { is: "statement", tokens };
    if (level >= deepest / 2) return [statement];
    const units = storedBodies(tokens, this.#cursor, this.#text, this.#source).map((body): Node => {
      const reader = new Reader(new Cursor(body.tokens, this.#cursor.dialect), body.text, this.#source);
      return { is: "unit", nodes: reader.nodesUntil([], level + 1, true) };
    });
    return [statement, ...units];
  }
}

/** `<<name>>` */
function isLabel(cursor: Cursor): boolean {
  return cursor.sign() === "<" && cursor.sign(1) === "<" && cursor.sign(3) === ">" && cursor.sign(4) === ">";
}

/** `name: loop` */
function isNamed(cursor: Cursor): boolean {
  return cursor.word() !== "" && cursor.sign(1) === ":" && cursor.sign(2) !== "=" && cursor.word(2) !== "";
}

/** Whether a BEGIN is a block's, not a transaction's. */
function opensBlock(cursor: Cursor): boolean {
  const following = cursor.tokens[cursor.at + 1];
  if (following === undefined || following.text === ";" || following.kind === "batch") return false;
  // `begin work: loop`
  if (cursor.sign(2) === ":") return true;
  return !(following.kind === "word" && transactionWords.has(following.text));
}
