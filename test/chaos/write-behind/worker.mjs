// One of several processes that write behind over one journal and one source, and may be killed at any instant.
// A line on stdout is an acknowledgement, which must hold for ever.
import { createInterface } from "node:readline";
import { declareViews, openSource } from "./views.mjs";

const { ledgerPath, sourcePath, ids, firstN, killAt, killAtCall, expected } = JSON.parse(process.argv[2]);

let calls = 0;
const killHere = (point) => {
  if (killAt === point && calls >= killAtCall) process.kill(process.pid, "SIGKILL");
};
const source = await openSource(sourcePath);
const { reprise, views } = declareViews({
  ledgerPath,
  source,
  beforeCommit: () => {
    calls += 1;
    killHere("before the source commits");
  },
  afterCommit: () => killHere("before the journal knows"),
});
await reprise.start();

// what this process has never read and others have acknowledged, some of it by processes that are dead
for (const { id, n } of expected) {
  const read = await views.get({ id });
  process.stdout.write(`${JSON.stringify({ read: read.n >= n })}\n`);
}

let closing = false;
createInterface({ input: process.stdin }).on("line", () => {
  closing = true;
});

let n = firstN;
async function write() {
  while (!closing) {
    // a few keys are hot, so that values are coalesced
    const id = ids[Math.floor(Math.random() ** 3 * ids.length)];
    n += 1;
    const value = { n };
    try {
      await views.write({ id }, value);
    } catch (error) {
      // a busy journal: the write may have happened or not, it was not acknowledged
      process.stderr.write(`${error.code ?? error}\n`);
      continue;
    }
    killHere("before the acknowledgement is heard");
    process.stdout.write(`${JSON.stringify({ id, n: value.n })}\n`);
    const seen = await views.get({ id });
    if (seen.n < value.n) process.stdout.write(`${JSON.stringify({ read: false })}\n`);
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 10));
  }
}
await Promise.all(Array.from({ length: 8 }, write));
await reprise.close();
await source.close();
process.exit(0);
