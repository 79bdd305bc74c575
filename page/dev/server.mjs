// The built page with invented figures, one address for each state of a service: `npm run build -w page`, then
// `npm run dev -w page`. Sources are loaded as they are, so only the page itself has to be built.
import { fileURLToPath } from "node:url";
import { createServer } from "vite";

const vite = await createServer({
  root: fileURLToPath(new URL("../..", import.meta.url)),
  server: { middlewareMode: true, hmr: false, ws: false },
  appType: "custom",
});
const { fakeReprise } = await vite.ssrLoadModule("/test/page/fake.ts");
const { fakeIncidents } = await vite.ssrLoadModule("/test/page/fake-incidents.ts");
const { pageHandler } = await vite.ssrLoadModule("/src/page/index.ts");
const { serve } = await vite.ssrLoadModule("/test/page/serve.ts");

/** What the page asks for before it decides. */
const token = "a-token-for-looking-at-the-page-only";
const port = Number(process.env.PORT ?? 4100);
const states = [
  { jobs: true },
  { jobs: true, quiet: true },
  { gap: true },
  { empty: true },
  { ledger: "away" },
  { ledger: "none" },
  { curve: "few" },
  { readOnly: true },
];
console.log(`The token: ${token}`);
for (const [index, state] of states.entries()) {
  const incidents = state.empty ? [] : fakeIncidents();
  const { url } = await serve(
    pageHandler(fakeReprise(state), state.readOnly ? { incidents } : { incidents, token }),
    port + index,
  );
  console.log(`${url}/reprise  ${JSON.stringify(state)}`);
}
