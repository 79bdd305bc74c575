import type { Dialect } from "../finding.ts";
import type { Token } from "./tokens.ts";

/** A place in a script's tokens, moved on by whoever reads there. */
export class Cursor {
  readonly tokens: readonly Token[];
  readonly dialect: Dialect;
  at = 0;

  constructor(tokens: readonly Token[], dialect: Dialect) {
    this.tokens = tokens;
    this.dialect = dialect;
  }

  /** Whether statements end with a semicolon and bodies have IF … END IF: PostgreSQL's and MySQL's language. */
  get isProcedural(): boolean {
    return this.dialect === "postgres" || this.dialect === "mysql";
  }

  get isAtEnd(): boolean {
    return this.at >= this.tokens.length;
  }

  get isBatch(): boolean {
    return this.tokens[this.at]?.kind === "batch";
  }

  /** The word there; empty where there is none. */
  word(ahead = 0): string {
    const token = this.tokens[this.at + ahead];
    return token?.kind === "word" ? token.text : "";
  }

  sign(ahead = 0): string {
    const token = this.tokens[this.at + ahead];
    return token?.kind === "sign" ? token.text : "";
  }

  /** 1 at an opening parenthesis, -1 at a closing one. */
  opening(): number {
    const text = this.sign();
    return text === "(" ? 1 : text === ")" ? -1 : 0;
  }

  /** To the semicolon, or to the end of the batch. */
  toSemicolon(): void {
    while (!this.isAtEnd && this.sign() !== ";" && !this.isBatch) this.at += 1;
  }

  pastSemicolon(): void {
    this.toSemicolon();
    this.at += 1;
  }

  /** Where, before the statement's end and outside of a case, one of the words stands. */
  find(words: readonly string[]): number | undefined {
    let cases = 0;
    for (let to = this.at + 1; to < this.tokens.length; to += 1) {
      const token = this.tokens[to];
      if (token === undefined || token.kind === "batch" || (token.kind === "sign" && token.text === ";"))
        return undefined;
      if (token.kind !== "word") continue;
      if (cases === 0 && words.includes(token.text)) return to;
      if (token.text === "case") cases += 1;
      else if (token.text === "end") cases = Math.max(0, cases - 1);
    }
    return undefined;
  }
}
