import { fileBlobs } from "../../src/stores/files/index.ts";

/** Adds lines to one blob, each by reading and replacing, and tells of each that was put. It ends by being killed. */
const [directory = "", writer = ""] = process.argv.slice(2);
const blobs = fileBlobs({ directory });

/** Asks until it is put. */
async function add(line: string): Promise<void> {
  const there = await blobs.read("list");
  if (there === null) throw new Error("there is no list");
  const longer = Buffer.concat([there.bytes, Buffer.from(`${line}\n`)]);
  if ((await blobs.putIfToken("list", longer, there.token)).is !== "put") await add(line);
}

process.on("disconnect", () => process.exit());
for (let line = 0; ; line++) {
  await add(`${writer}-${line}`);
  process.send?.(`${writer}-${line}`);
}
