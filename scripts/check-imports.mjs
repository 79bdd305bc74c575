/**
 * Holds the direction of imports: each room may name only the rooms below it.
 *
 *   cli, page → admin; admin, transports, testing → reprise.ts → instance.ts → observe, decisions → load, schedule, consume, outbox → cache, operation → lease → contract → base
 *   cli → inspect → contract
 *   stores, sources → contract, base
 *   client → base
 *
 * Usage: node scripts/check-imports.mjs [folder]     (default: src)
 */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve, sep } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";

const base = ["base"];
const contract = ["contract", ...base];
const leases = ["lease", ...contract];
const nouns = ["cache", "operation", "load", "schedule", "consume", "outbox", ...leases];
const views = ["observe", "decisions", ...nouns];
const whole = ["reprise.ts", "options.ts", ...views];

/** What each room may import, besides itself. `observe` and `decisions` are neighbours, as are `cache` and `operation`. */
const allowed = {
  base: [],
  contract: base,
  stores: contract,
  sources: contract,
  // A program of its own, that may run in a browser: it knows nothing of the server it calls.
  client: base,
  cache: contract,
  lease: contract,
  operation: leases,
  load: leases,
  schedule: ["operation", ...leases],
  consume: ["operation", ...leases],
  outbox: leases,
  observe: nouns,
  decisions: nouns,
  "options.ts": nouns,
  "instance.ts": ["options.ts", ...views],
  "reprise.ts": ["instance.ts", "options.ts", ...views],
  "index.ts": whole,
  transports: whole,
  admin: whole,
  page: ["admin", ...whole],
  // Its suites hold adapters to what the carriers promise.
  testing: ["transports", ...whole],
  // It reads programs and databases that know nothing of reprise.
  inspect: contract,
  cli: ["admin", "inspect", ...whole],
};

/** Packages that a room may name. Fastify, libsql, mysql2 and pg are optional peers, named lazily or by type; the others are bundled. */
const packages = {
  base: ["canonicalize", "devalue"],
  stores: ["libsql"],
  schedule: ["croner"],
  transports: ["structured-headers", "fastify"],
  page: ["fastify"],
  cli: ["commander", "picocolors", "yaml", "pg", "mysql2", "libsql"],
};

/**
 * @param {string} folder
 * @returns {readonly string[]} one sentence for each violation
 */
export function checkImports(folder) {
  const root = resolve(folder);
  const files = readdirSync(root, { recursive: true, encoding: "utf8" })
    .filter((name) => /\.[cm]?tsx?$/.test(name))
    .map((name) => join(root, name));
  const known = new Set(files);
  const complaints = [];
  /** @type {Map<string, string[]>} */
  const graph = new Map();

  for (const file of files) {
    const name = show(root, file);
    const room = roomOf(root, file);
    const may = allowed[room];
    if (may === undefined) {
      complaints.push(`${name} stands in no known room: name '${room}' in scripts/check-imports.mjs`);
      continue;
    }
    const targets = [];
    for (const { specifier, typeOnly } of importsOf(file)) {
      if (specifier.startsWith("node:")) continue;
      if (!specifier.startsWith(".")) {
        const wanted = packageName(specifier);
        if (!(packages[room] ?? []).includes(wanted)) complaints.push(`${name} imports the package '${wanted}'`);
        continue;
      }
      const target = resolve(dirname(file), specifier);
      // What the build makes, such as the page's assets, is no module of the tree.
      if (!known.has(target)) {
        if (/\.[cm]?tsx?$/.test(specifier)) complaints.push(`${name} imports '${specifier}', which is not there`);
        continue;
      }
      const other = roomOf(root, target);
      if (other !== room && !may.includes(other)) {
        complaints.push(`${name} imports ${show(root, target)}: ${room} must not name ${other}`);
      }
      if (!typeOnly) targets.push(target);
    }
    graph.set(file, targets);
  }

  for (const cycle of cyclesOf(graph)) {
    complaints.push(`cycle: ${cycle.map((file) => show(root, file)).join(" → ")}`);
  }
  return complaints;
}

function roomOf(root, file) {
  return relative(root, file).split(sep)[0];
}

function show(root, file) {
  return relative(root, file).split(sep).join("/");
}

function packageName(specifier) {
  return specifier
    .split("/")
    .slice(0, specifier.startsWith("@") ? 2 : 1)
    .join("/");
}

/** Every import and re-export, the dynamic ones and those of types too. Types vanish, so they may turn back. */
function importsOf(file) {
  const source = ts.createSourceFile(file, readFileSync(file, "utf8"), ts.ScriptTarget.Latest);
  const found = [];
  const add = (node, typeOnly) => {
    if (node !== undefined && ts.isStringLiteralLike(node)) found.push({ specifier: node.text, typeOnly });
  };
  const onlyTypes = (elements) =>
    elements !== undefined && elements.length > 0 && elements.every((element) => element.isTypeOnly);
  const visit = (node) => {
    if (ts.isImportDeclaration(node)) {
      const clause = node.importClause;
      const bindings = clause?.namedBindings;
      const named = bindings !== undefined && ts.isNamedImports(bindings) ? bindings.elements : undefined;
      const typeOnly = clause?.isTypeOnly === true || (clause?.name === undefined && onlyTypes(named));
      add(node.moduleSpecifier, typeOnly);
    } else if (ts.isExportDeclaration(node)) {
      const clause = node.exportClause;
      const named = clause !== undefined && ts.isNamedExports(clause) ? clause.elements : undefined;
      add(node.moduleSpecifier, node.isTypeOnly || onlyTypes(named));
    } else if (ts.isImportTypeNode(node)) {
      add(ts.isLiteralTypeNode(node.argument) ? node.argument.literal : undefined, true);
    } else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      add(node.arguments[0], false);
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

/** Depth first; each cycle is told once, from where it was entered. */
function cyclesOf(graph) {
  const cycles = [];
  const done = new Set();
  const path = [];
  const visit = (file) => {
    const at = path.indexOf(file);
    if (at >= 0) {
      cycles.push([...path.slice(at), file]);
      return;
    }
    if (done.has(file)) return;
    path.push(file);
    for (const target of graph.get(file) ?? []) visit(target);
    path.pop();
    done.add(file);
  };
  for (const file of graph.keys()) visit(file);
  return cycles;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const complaints = checkImports(process.argv[2] ?? "src");
  for (const complaint of complaints) process.stderr.write(`${complaint}\n`);
  process.stdout.write(complaints.length === 0 ? "imports: one way\n" : `imports: ${complaints.length} violations\n`);
  process.exitCode = complaints.length === 0 ? 0 : 1;
}
