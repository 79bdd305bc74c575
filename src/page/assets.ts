import { readdir, readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { asset, html } from "./answers.ts";

/** What the build of the page made: a shell and files whose names carry their hash. */
export interface Assets {
  readonly shell: (service: string) => Promise<Response>;
  /** `undefined`: there is no such file. */
  readonly file: (name: string) => Promise<Response | undefined>;
}

interface Built {
  readonly shell: string;
  readonly files: ReadonlyMap<string, Uint8Array<ArrayBuffer>>;
}

const types: Readonly<Record<string, string>> = {
  js: "text/javascript; charset=utf-8",
  css: "text/css; charset=utf-8",
  svg: "image/svg+xml",
  woff2: "font/woff2",
};

/** In the package the assets lie beside this module; in the source tree, where the page's workspace builds them. */
const folder = new URL(import.meta.url.endsWith(".ts") ? "../../page/dist/" : "./page-assets/", import.meta.url);

/** Reads the files at the first request and keeps them; `base` is where the page is mounted. */
export function assetsOf(base: string): Assets {
  let reading: Promise<Built | undefined> | undefined;
  const built = async () => {
    reading ??= readBuilt(base);
    const found = await reading;
    // a build that comes after the first request is found by the next one
    if (found === undefined) reading = undefined;
    return found;
  };
  return {
    shell: async (service) => {
      const found = await built();
      if (found === undefined) return html(notBuilt, 503);
      return html(found.shell.replaceAll("%SERVICE%", escaped(service)));
    },
    file: async (name) => {
      const body = (await built())?.files.get(name);
      if (body === undefined) return undefined;
      return asset(body, types[name.slice(name.lastIndexOf(".") + 1)] ?? "application/octet-stream");
    },
  };
}

const notBuilt =
  "<!doctype html><title>Reprise</title><p>The page has not been built: its assets are not beside this module. Run <code>npm run build</code>.";

async function readBuilt(base: string): Promise<Built | undefined> {
  try {
    const shell = await readFile(new URL("index.html", folder), "utf8");
    const names = await readdir(fileURLToPath(new URL("assets/", folder)));
    const files = await Promise.all(
      names.map(async (name) => [name, new Uint8Array(await readFile(new URL(`assets/${name}`, folder)))] as const),
    );
    const placed = shell.replaceAll("./assets/", `${base}/assets/`).replaceAll("%BASE%", escaped(base));
    return { shell: placed, files: new Map(files) };
  } catch {
    return undefined;
  }
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
