/** No name of a register is longer, so nothing comes after so many of the last character that there is. */
const last = "\u{10ffff}".repeat(256);
const lastCode = 0x10ffff;
/** Between the two no character has its code: UTF-16 writes the others in pairs of these. */
const surrogates = { first: 0xd800, after: 0xe000 };

/**
 * The text that comes after all that begin with `prefix`, in the order of UTF-8's bytes, which is that of the characters'
 * codes. So an index finds them, whatever `%`, `_` or `\` stands in the prefix.
 */
export function endOfPrefix(prefix: string): string {
  const characters = [...prefix];
  while (characters.length > 0) {
    const code = characters.pop()?.codePointAt(0) ?? lastCode;
    if (code === lastCode) continue;
    const next = code + 1 === surrogates.first ? surrogates.after : code + 1;
    return characters.join("") + String.fromCodePoint(next);
  }
  return last;
}
