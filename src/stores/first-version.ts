import { randomInt } from "node:crypto";

/**
 * The version at which a register is created: by chance, so that it is not met again where one is swept and created anew. Lua
 * writes out whole numbers of up to 14 digits, and this leaves room to count up.
 */
export function firstVersion(): number {
  return randomInt(1, 2 ** 40);
}
