/**
 * National ids that can be told from other numbers: in any text those whose form is theirs alone or whose check digits
 * make a chance match rare, the others where a property's name says so.
 */

/** United States, formatted; areas 000, 666 and 900 to 999, group 00 and serial 0000 were never issued. */
const ssn = /(?<![\w.-])(?!000|666|9)\d{3}-(?!00)\d{2}-(?!0000)\d{4}(?![\w-])/;
/** United Kingdom, in pairs as it is printed; prefixes that were never issued are left out. */
const nino = /(?<!\w)(?!BG|GB|KN|NK|NT|TN|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] \d\d \d\d \d\d [A-D](?!\w)/;
/** France: sex, year, month, department, commune, order, and two check digits. */
const nir = /(?<![\w.+-])[12] ?\d\d ?(?:0[1-9]|1[0-2]|[2-9]\d) ?(?:\d\d|2[AB]) ?\d{3} ?\d{3} ?\d\d(?!\w|[.-]\w)/;
/** Brazil, formatted; two check digits. */
const cpf = /(?<![\w.-])\d{3}\.\d{3}\.\d{3}-\d\d(?![\w-])/;

/** `mayBeId`: under a name that ends in "id" fifteen digits in a row are somebody's key. */
export function hasNationalId(text: string, mayBeId: boolean): boolean {
  if (ssn.test(text) || nino.test(text)) return true;
  const french = nir.exec(text)?.[0];
  if (french !== undefined && !(mayBeId && !french.includes(" ")) && isNir(french)) return true;
  const brazilian = cpf.exec(text)?.[0];
  return brazilian !== undefined && isCpf(brazilian);
}

/** A whole value whose property's name says that it is a national id: compact forms are told too. */
export function isNationalId(text: string): boolean {
  const compact = text.replace(/[ .-]/g, "").toUpperCase();
  return (
    /^(?!000|666|9)\d{3}(?!00)\d{2}(?!0000)\d{4}$/.test(compact) ||
    /^[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z]\d{6}[A-D]$/.test(compact) ||
    isDni(compact) ||
    (/^[12]\d{4}(?:\d\d|2[AB])\d{8}$/.test(compact) && isNir(compact)) ||
    (/^\d{11}$/.test(compact) && isCpf(compact))
  );
}

/** Spain: the number modulo 23 chooses the letter; a foreigner's begins with X, Y or Z for 0, 1 or 2. */
function isDni(compact: string): boolean {
  const parts = /^([XYZ\d])(\d{7})([A-Z])$/.exec(compact);
  if (parts === null) return false;
  const [, first = "", rest = "", letter] = parts;
  const place = "XYZ".indexOf(first);
  const number = Number(`${place >= 0 ? place : first}${rest}`);
  return "TRWAGMYFPDXBNJZSQVHLCKE"[number % 23] === letter;
}

/** The last two digits are 97 less the rest modulo 97; Corsica's departments count as 19 and 18. */
function isNir(text: string): boolean {
  const digits = text.replaceAll(" ", "").replace("2A", "19").replace("2B", "18");
  return 97 - (Number(digits.slice(0, 13)) % 97) === Number(digits.slice(13));
}

function isCpf(text: string): boolean {
  const digits = text.replace(/\D/g, "");
  // the same digit throughout fits the check digits and is never issued
  if (/^(\d)\1*$/.test(digits)) return false;
  return [9, 10].every((length) => {
    let sum = 0;
    for (let place = 0; place < length; place += 1) sum += Number(digits[place]) * (length + 1 - place);
    return ((sum * 10) % 11) % 10 === Number(digits[length]);
  });
}
