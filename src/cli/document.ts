import { readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { text } from "node:stream/consumers";
import type { LoadReferred, OpenApiSource } from "../decisions/openapi-silence.ts";

/** More uses of one anchor than documents have, fewer than a trap needs. */
const mostAliases = 10_000;

/** A YAML or JSON document as data, or a sentence that says why it cannot be read. `-` is standard input. */
export async function readDocument(file: string): Promise<OpenApiSource | string> {
  const name = resolve(file === "-" ? "standard input" : file);
  let read: string;
  try {
    read = file === "-" ? await text(process.stdin) : await readFile(name, "utf8");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    return code === "ENOENT" ? "there is no such file." : code === "EISDIR" ? "it is a folder." : `${code}.`;
  }
  const root = await parse(read);
  return "why" in root ? root.why : { name, root: root.value };
}

/** Reads each file once. Another machine is never asked. */
export function documentsBeside(): LoadReferred {
  const loaded = new Map<string, Promise<OpenApiSource | null>>();
  return (file, from) => {
    if (/^[a-z][a-z0-9+.-]+:/i.test(file) || file.startsWith("//")) return Promise.resolve(null);
    let path: string;
    try {
      path = resolve(dirname(from), decodeURIComponent(file));
    } catch {
      return Promise.resolve(null);
    }
    const known = loaded.get(path);
    if (known !== undefined) return known;
    const loading = readDocument(path).then((source) => (typeof source === "string" ? null : source));
    loaded.set(path, loading);
    return loading;
  };
}

async function parse(document: string): Promise<{ readonly value: unknown } | { readonly why: string }> {
  if (document.trim() === "") return { why: "it is empty." };
  try {
    // much faster where it is JSON; whatever is wrong with it, the other parser says better
    return { value: JSON.parse(document) as unknown };
  } catch {
    const { parseDocument } = await import("yaml");
    const parsed = parseDocument(document, { merge: true, logLevel: "silent" });
    const [error] = parsed.errors;
    if (error !== undefined) return { why: `it is neither YAML nor JSON: ${sentenceOf(error)}.` };
    try {
      return { value: parsed.toJS({ maxAliasCount: mostAliases }) as unknown };
    } catch (reason) {
      return { why: `its anchors cannot be resolved: ${sentenceOf(reason)}.` };
    }
  }
}

/** Without the lines of the document that the parser adds. */
function sentenceOf(error: unknown): string {
  const [first = ""] = error instanceof Error ? error.message.split("\n") : [];
  return first.replace(/[:.]$/, "");
}

/** As YAML, for people to read and to merge. */
export async function toYaml(value: unknown): Promise<string> {
  const { stringify } = await import("yaml");
  return stringify(value, { aliasDuplicateObjects: false, lineWidth: 110 });
}
