/**
 * A row's key holds 512 units of UTF-16, in whose order rows come, and none of a few characters. So three bytes of a row's
 * UTF-8 are written as two letters, each of 4,096 that follow one another and may stand anywhere: any text of 765 bytes
 * fits, and the order is that of its bytes.
 */
const firstLetter = 0x4e00;
const bits = 12;
const letters = 2 ** bits;

export function rowKeyOf(row: string): string {
  const bytes = Buffer.from(row);
  let key = "";
  for (let at = 0; at < bytes.length; at += 3) {
    // zeros in place of what is missing: no text has one, and nothing comes before them
    const three = ((bytes[at] ?? 0) << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0);
    key += String.fromCharCode(firstLetter + (three >> bits), firstLetter + (three % letters));
  }
  return key;
}

export function rowOf(key: string): string {
  const bytes: number[] = [];
  for (let at = 0; at < key.length; at += 2) {
    const three = ((key.charCodeAt(at) - firstLetter) << bits) | (key.charCodeAt(at + 1) - firstLetter);
    bytes.push(three >> 16, (three >> 8) & 0xff, three & 0xff);
  }
  const end = bytes.indexOf(0);
  return Buffer.from(end < 0 ? bytes : bytes.slice(0, end)).toString();
}
