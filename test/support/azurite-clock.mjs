/** Loaded into Azurite before itself: its clock goes on by as many milliseconds as it is told, and it ends with its parent. */
const Real = globalThis.Date;
let passed = 0;

globalThis.Date = class extends Real {
  constructor(...given) {
    if (given.length === 0) super(Real.now() + passed);
    else super(...given);
  }
  static now() {
    return Real.now() + passed;
  }
};

process.on("message", (ms) => {
  passed += ms;
  process.send?.(passed);
});
process.on("disconnect", () => process.exit());
