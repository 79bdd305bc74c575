/**
 * Writes THIRD-PARTY-NOTICES.md: the licences of what is bundled into the package, as each was installed.
 *
 * Usage: node scripts/notices.mjs [--check]
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));

/** Bundled into the modules, as `onlyBundle` of tsdown.config.ts holds it, and into the page's script. */
const bundled = [
  "canonicalize",
  "commander",
  "croner",
  "devalue",
  "picocolors",
  "structured-headers",
  "yaml",
  "preact",
  "uplot",
];

export function notices() {
  const parts = bundled.map((name) => {
    const folder = join(root, "node_modules", name);
    const { version, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
    const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
    if (file === undefined) throw new Error(`${name} brings no licence`);
    const text = readFileSync(join(folder, file), "utf8").replace(/\r\n/g, "\n").replace(/\s+$/, "");
    return `## ${name} ${version}\n\n${license}\n\n\`\`\`text\n${text}\n\`\`\`\n`;
  });
  return `# Third-party notices\n\nReprise contains code of these packages. Nothing else is installed with it.\n\n${parts.join("\n")}`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const path = join(root, "THIRD-PARTY-NOTICES.md");
  if (!process.argv.includes("--check")) writeFileSync(path, notices());
  else if (readFileSync(path, "utf8") !== notices()) {
    process.stderr.write("THIRD-PARTY-NOTICES.md is not what is installed: run `node scripts/notices.mjs`\n");
    process.exitCode = 1;
  } else process.stdout.write("notices: as installed\n");
}
