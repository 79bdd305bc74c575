/**
 * The export map and what was built must agree: every entry has its module and its types, every command its module, and
 * every module that stands at the top of `dist` under a plain name is one of them.
 *
 * Usage: node scripts/check-exports.mjs [folder]     (default: the working directory)
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/**
 * @param {string} folder of the package
 * @returns {readonly string[]} one sentence for each disagreement
 */
export function checkExports(folder) {
  const { exports, bin = {} } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  const complaints = [];
  const modules = Object.entries(exports).filter(([entry]) => entry !== "./package.json");
  const named = new Set();
  for (const [entry, target] of modules) {
    if (typeof target !== "string") {
      complaints.push(`${entry} maps to conditions: one module serves all`);
      continue;
    }
    const name = entry === "." ? "index" : entry.slice(2);
    named.add(`${name}.mjs`);
    if (target !== `./dist/${name}.mjs`) complaints.push(`${entry} maps to ${target}, not to ./dist/${name}.mjs`);
    for (const file of [target, target.replace(/\.mjs$/, ".d.mts")]) {
      if (!existsSync(join(folder, file))) complaints.push(`${entry}: ${file} was not built`);
    }
  }
  for (const target of Object.values(bin)) {
    named.add(target.replace("./dist/", ""));
    if (!existsSync(join(folder, target))) complaints.push(`the command ${target} was not built`);
  }
  const dist = join(folder, "dist");
  for (const file of existsSync(dist) ? readdirSync(dist) : []) {
    // A chunk that entries share carries a hash behind a hyphen.
    if (file.endsWith(".mjs") && !file.includes("-") && !named.has(file)) {
      complaints.push(`dist/${file} was built, and the export map does not name it`);
    }
  }
  return complaints;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const complaints = checkExports(process.argv[2] ?? ".");
  for (const complaint of complaints) process.stderr.write(`${complaint}\n`);
  process.stdout.write(
    complaints.length === 0 ? "exports: as built\n" : `exports: ${complaints.length} disagreements\n`,
  );
  process.exitCode = complaints.length === 0 ? 0 : 1;
}
