/** First digits, and how many digits there are in all (ISO/IEC 7812; the issuers' published ranges). */
const issuers: readonly (readonly [prefix: RegExp, lengths: readonly number[]])[] = [
  // Visa; 13 digits are of the last century, and far more often an article's number
  [/^4/, [16, 19]],
  // Mastercard
  [/^(?:5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720)/, [16]],
  // American Express
  [/^3[47]/, [15]],
  // Diners Club
  [/^(?:30[0-5]|309|36|3[89])/, [14, 16]],
  // Discover
  [/^(?:6011|64[4-9]|65)/, [16, 19]],
  // JCB
  [/^35(?:2[89]|[3-8])/, [16, 19]],
  // UnionPay
  [/^62/, [16, 17, 18, 19]],
  // Maestro
  [/^(?:5018|5020|5038|5893|6304|6759|676[1-3])/, [16, 18, 19]],
  // Mir
  [/^220[0-4]/, [16]],
];

/** 13 digits are a Visa card's only where something else says that a card is meant. */
export function isCardNumber(digits: string, isCardMeant: boolean): boolean {
  const { length } = digits;
  const isIssued =
    issuers.some(([prefix, lengths]) => lengths.includes(length) && prefix.test(digits)) ||
    (isCardMeant && length === 13 && digits.startsWith("4"));
  return isIssued && isLuhn(digits);
}

/** The check digit of ISO/IEC 7812-1, annex B. */
function isLuhn(digits: string): boolean {
  let sum = 0;
  for (let place = 0; place < digits.length; place += 1) {
    const digit = digits.charCodeAt(digits.length - 1 - place) - 48;
    sum += place % 2 === 0 ? digit : digit > 4 ? digit * 2 - 9 : digit * 2;
  }
  return sum % 10 === 0;
}
