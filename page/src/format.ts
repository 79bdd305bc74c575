/** How figures are written: a unit each, digits that mean something, a dash for what nobody knows. */

const unknown = "–";

export const whole = (value: number): string => Math.round(value).toLocaleString("en-US");

export const tick = (value: number): string => value.toLocaleString("en-US", { maximumFractionDigits: 2 });

/** In the units of a declaration: `64 MB` is `"64mb"`. */
export function bytes(count: number): string {
  const units = ["B", "KB", "MB", "GB", "TB"] as const;
  const place = Math.min(units.length - 1, Math.floor(Math.log2(Math.max(1, count)) / 10));
  const value = count / 1_024 ** place;
  return `${value >= 10 || place === 0 ? whole(value) : Math.round(value * 10) / 10} ${units[place]}`;
}

export const dollars = (amount: number): string =>
  `$${Math.abs(amount).toLocaleString("en-US", { minimumFractionDigits: 2, maximumFractionDigits: 2 })}`;

/** A second or a minute: one decimal while it is small. */
export function rate(value: number | null | undefined): string {
  if (value === null || value === undefined) return unknown;
  if (value === 0) return "0";
  return value >= 10 ? whole(value) : value.toFixed(1);
}

/** Digits grow with the nines: between 99.9% and 99.99% lies a tenfold difference. */
export function percent(share: number | null | undefined): string {
  if (share === null || share === undefined) return unknown;
  const value = share * 100;
  if (value === 100) return "100%";
  // what is not quite everything is never rounded up to it
  const digits = value >= 99.9 ? 3 : value >= 99 ? 2 : 1;
  return `${(Math.floor(value * 10 ** digits) / 10 ** digits).toFixed(digits)}%`;
}

export function milliseconds(value: number | null | undefined): string {
  if (value === null || value === undefined) return unknown;
  if (value === 0) return "0 ms";
  if (value < 1) return "< 1 ms";
  if (value < 1_000) return `${Math.round(value)} ms`;
  if (value < 60_000) return `${trimmed(value / 1_000)} s`;
  return age(value);
}

/** `0.3 s`, `18 min`, `2 h 11 min`, `6 d`. */
export function age(ms: number): string {
  const seconds = Math.max(0, ms) / 1_000;
  if (seconds < 10) return `${trimmed(seconds)} s`;
  if (seconds < 60) return `${Math.round(seconds)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 5 && Math.floor(seconds % 60) > 0) return `${minutes} min ${Math.floor(seconds % 60)} s`;
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} min`;
  return `${Math.floor(hours / 24)} d`;
}

const trimmed = (value: number): string => (value >= 10 ? String(Math.round(value)) : value.toFixed(1));

const units: Readonly<Record<string, string>> = { ms: "ms", s: "s", m: "min", h: "h", d: "d" };

/** A declaration's `"5m"` as people write it: `5 min`. */
export function duration(declared: string): string {
  const [, value, unit] = /^([\d.]+)(ms|s|m|h|d)$/.exec(declared) ?? [];
  return value === undefined || unit === undefined ? declared : `${value} ${units[unit] ?? unit}`;
}

const two = (value: number) => String(value).padStart(2, "0");

export function minute(at: number): string {
  const date = new Date(at);
  return `${two(date.getHours())}:${two(date.getMinutes())}`;
}

export const second = (at: number): string => `${minute(at)}:${two(new Date(at).getSeconds())}`;

export const instant = (at: number): string =>
  `${second(at)}.${String(new Date(at).getMilliseconds()).padStart(3, "0")}`;

const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"] as const;

export function day(at: number): string {
  const date = new Date(at);
  return `${date.getDate()} ${months[date.getMonth()] ?? ""}`;
}

export const full = (at: number): string => `${day(at)} ${new Date(at).getFullYear()}, ${second(at)}`;

const numbers = [
  "no",
  "one",
  "two",
  "three",
  "four",
  "five",
  "six",
  "seven",
  "eight",
  "nine",
  "ten",
  "eleven",
  "twelve",
];

/** A number at the start of a sentence. */
export function inWords(count: number): string {
  const word = numbers[count] ?? whole(count);
  return word.charAt(0).toUpperCase() + word.slice(1);
}

export const plural = (count: number, one: string, many = `${one}s`): string => (count === 1 ? one : many);

export const sentence = (words: string): string =>
  `${words.charAt(0).toUpperCase()}${words.slice(1)}${words.endsWith(".") ? "" : "."}`;
