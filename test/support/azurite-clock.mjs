/**
 * Loaded into Azurite before itself: its clock goes on by as many milliseconds as it is told, stands still from the full
 * second on where it is told to, and it ends with its parent.
 */
import { Server } from "node:http";

const Real = globalThis.Date;
let passed = 0;
let standing;

function now() {
  return (standing ?? Real.now()) + passed;
}

globalThis.Date = class extends Real {
  constructor(...given) {
    if (given.length === 0) super(now());
    else super(...given);
  }
  static now() {
    return now();
  }
};

// what it refuses it leaves to Node to date, by a clock that none of this reaches
const { emit } = Server.prototype;
Server.prototype.emit = function (event, ...given) {
  if (event === "request") given[1].setHeader("Date", new Date().toUTCString());
  return emit.call(this, event, ...given);
};

process.on("message", (told) => {
  if (told === "stand") standing = Math.floor(Real.now() / 1_000) * 1_000;
  else passed += told;
  process.send?.(passed);
});
process.on("disconnect", () => process.exit());
