import { questionTexts } from "../../../src/page/question-texts.ts";
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
            {Object.entries(questionTexts).map(([number, { name, question }]) => (
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
