import { execFile } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);
export const root = resolve(dirname(fileURLToPath(import.meta.url)), "../..");

/** A project in a folder of its own that has installed the package as it would be published, and nothing else. */
export interface Installed {
  readonly folder: string;
  /** Of what was installed, in order. */
  readonly files: readonly string[];
  readonly write: (name: string, text: string) => string;
  /** Runs Node in the project; what it printed on standard output. Rejects with both outputs when it fails. */
  readonly node: (args: readonly string[]) => Promise<string>;
  readonly remove: () => void;
}

export async function install(): Promise<Installed> {
  refuseStale();
  const folder = mkdtempSync(join(tmpdir(), "reprise-package-"));
  const quiet = ["--ignore-scripts", "--silent", "--json"];
  const { stdout } = await run("npm", ["pack", "--pack-destination", folder, ...quiet], { cwd: root, timeout: 60_000 });
  const packed = (
    JSON.parse(stdout) as readonly { readonly filename: string; readonly files: readonly { readonly path: string }[] }[]
  )[0];
  if (packed === undefined) throw new Error("npm pack packed nothing");
  const target = join(folder, "node_modules/reprise");
  mkdirSync(target, { recursive: true });
  await run("tar", ["-xzf", join(folder, packed.filename), "-C", target, "--strip-components=1"], { timeout: 60_000 });
  writeFileSync(join(folder, "package.json"), JSON.stringify({ name: "consumer", private: true, type: "module" }));
  return {
    folder,
    files: packed.files.map((file) => file.path).sort(),
    write: (name, text) => {
      writeFileSync(join(folder, name), text);
      return join(folder, name);
    },
    node: async (args) => (await run(process.execPath, [...args], { cwd: folder, timeout: 60_000 })).stdout,
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** Makes a package of the checkout resolvable for the project, as if it were installed. */
export function link(installed: Installed, name: string): void {
  const target = join(installed.folder, "node_modules", name);
  mkdirSync(dirname(target), { recursive: true });
  symlinkSync(join(root, "node_modules", name), target);
}

/** What is tested must be what the sources say: an old build would answer for code that is gone. */
function refuseStale(): void {
  const built = join(root, "dist/index.mjs");
  const newest = Math.max(
    ...readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" }).map(
      (name) => statSync(join(root, "src", name)).mtimeMs,
    ),
  );
  if (!existsSync(built) || statSync(built).mtimeMs < newest) {
    throw new Error("dist is missing or older than src: run `npm run build` first (`npm test` does)");
  }
}
