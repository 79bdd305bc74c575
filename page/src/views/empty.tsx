import { service } from "../data.ts";
import { Glyph, Section } from "../parts.tsx";

const first = `const product = reprise.cache.readThrough({
  name: "product",
  owner: "catalogue-team",
  holds: "public",
  ifStale: "A visitor may see yesterday's price; the basket checks again.",
  scope: ["id"],
  freshFor: "60s",
  staleFor: "5m",
  load: ({ id }, { signal }) => db.product(id, signal),
});`;

const questions = [
  ["1", "Pattern", "What consistency does each cache need, and which pattern gives it?"],
  ["2", "Invalidation", "Who owns invalidation, and is there one strategy?"],
  ["3", "Stampede", "What does the database see if the hottest key expires now?"],
  ["4", "Never cached", "What is the worst outcome of serving this 60 s late?"],
  ["5", "Eviction", "What is protected and what goes when memory is full?"],
  ["8", "Security", "Could a response reach the wrong user?"],
  ["9", "Measuring", "Can you see hits, misses and evictions now?"],
  ["A", "HTTP", "If the client sends this again, what happens?"],
] as const;

export function Empty() {
  return (
    <>
      <div class="head">
        <div>
          <h1>Nothing has been declared yet.</h1>
          <p class="lede">
            Reprise is running in {service}, but no cache and no operation has been decided. Start with the read that
            your database answers most often.
          </p>
        </div>
      </div>
      <div class="cols">
        <Section class="c12" title="The first decision">
          <pre class="m">{first}</pre>
        </Section>
        <Section class="c12" title="If this runs again, what happens?">
          <ul class="q q4">
            {questions.map(([number, name, question]) => (
              <li key={number}>
                <div class="cell">
                  <div class="h">
                    <span class="no">{number}</span>
                    {name}
                    <span class="w t">not asked yet</span>
                    <Glyph mark="none" />
                  </div>
                  <p>{question}</p>
                </div>
              </li>
            ))}
          </ul>
        </Section>
      </div>
    </>
  );
}
