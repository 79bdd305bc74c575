import { InvalidArgumentError } from "commander";
import { type Duration, milliseconds } from "../base/duration.ts";
import { bytes, type Size } from "../base/size.ts";

/** `"95%"` or `0.95`. */
export function parseRatio(text: string): number {
  const isPercent = text.endsWith("%");
  const value = toNumber(isPercent ? text.slice(0, -1) : text) / (isPercent ? 100 : 1);
  if (!(value > 0 && value <= 1)) throw new InvalidArgumentError("Write a share of all reads, such as 95% or 0.95.");
  return value;
}

export function parseCount(text: string): number {
  const value = toNumber(text);
  if (!(Number.isSafeInteger(value) && value > 0)) {
    throw new InvalidArgumentError("Write a whole number above zero, such as 10000.");
  }
  return value;
}

/** A price, or a number of hours: zero is allowed. */
export function parseAmount(text: string): number {
  const value = toNumber(text);
  if (!(value >= 0 && Number.isFinite(value))) throw new InvalidArgumentError("Write a number, such as 3 or 0.25.");
  return value;
}

export function parseRate(text: string): number {
  const value = parseAmount(text);
  if (value === 0) throw new InvalidArgumentError("Write a number above zero.");
  return value;
}

export function parseBytes(text: string): number {
  try {
    return bytes(text.toLowerCase() as Size, "size");
  } catch {
    throw new InvalidArgumentError("Write a number above zero and a unit, such as 512b, 64kb, 256mb or 1gb.");
  }
}

/** Milliseconds. */
export function parseDuration(text: string): number {
  try {
    return milliseconds(text as Duration, "duration");
  } catch {
    throw new InvalidArgumentError("Write a number above zero and a unit, such as 500ms, 20s or 2m.");
  }
}

/** `Number` takes blanks, and nothing, for zero. */
function toNumber(text: string): number {
  return /^\s*$/.test(text) ? Number.NaN : Number(text);
}
