import { useState } from "preact/hooks";
import type { Explanation } from "../../../src/cache/explain.ts";
import type { ExplainAnswer } from "../../../src/page/explain.ts";
import { fetchJson, Refused } from "../data.ts";
import { age, milliseconds, plural, whole } from "../format.ts";
import { useWidth } from "../parts.tsx";

type Asked =
  | { readonly is: "nothing" }
  | { readonly is: "asking" }
  | { readonly is: "told"; readonly answer: ExplainAnswer }
  | { readonly is: "failed"; readonly why: string };

interface ExplainBoxProps {
  readonly cache: string;
  /** Of the scope. */
  readonly names: readonly string[];
}

export function ExplainBox({ cache, names }: ExplainBoxProps) {
  const [parts, setParts] = useState<Readonly<Record<string, string>>>({});
  const [asked, setAsked] = useState<Asked>({ is: "nothing" });
  const empty = names.every((name) => (parts[name] ?? "").trim() === "");
  const ask = () => {
    setAsked({ is: "asking" });
    const query = new URLSearchParams({ cache, scope: JSON.stringify(scopeOf(parts)) });
    fetchJson<ExplainAnswer>(`/explain.json?${query}`).then(
      (answer) => setAsked({ is: "told", answer }),
      (error: unknown) =>
        setAsked({ is: "failed", why: error instanceof Refused ? error.message : "It did not answer. Ask again." }),
    );
  };
  return (
    <div class="explain">
      <form
        class="in"
        onSubmit={(event) => {
          event.preventDefault();
          if (!empty) ask();
        }}
      >
        {names.map((name) => (
          <label key={name}>
            <span>{name}</span>
            <input
              name={name}
              class="m"
              value={parts[name] ?? ""}
              spellcheck={false}
              autocomplete="off"
              autocapitalize="off"
              onInput={({ currentTarget: { value } }) => setParts((before) => ({ ...before, [name]: value }))}
            />
          </label>
        ))}
        <button type="submit" class="btn" disabled={empty || asked.is === "asking"}>
          Explain
        </button>
      </form>
      <div aria-live="polite">
        {asked.is === "failed" ? <p class="bad">{asked.why}</p> : null}
        {asked.is === "told" ? (
          <Told answer={asked.answer} />
        ) : asked.is === "failed" ? null : (
          <p class="small t">
            Name what would be read, and Enter. A whole number is taken for a number and true for a boolean; in quotes,
            as "42", for text. A part that is left empty is left out.
          </p>
        )}
      </div>
    </div>
  );
}

/** What JSON knows as a scalar is one; all else is text. */
function scopeOf(parts: Readonly<Record<string, string>>): Readonly<Record<string, string | number | boolean>> {
  const given = Object.entries(parts).filter(([, text]) => text.trim() !== "");
  return Object.fromEntries(given.map(([name, text]) => [name, scalarOf(text.trim())]));
}

function scalarOf(text: string): string | number | boolean {
  if (text === "true" || text === "false") return text === "true";
  // no other spelling: "007" and "1e3" are names
  if (/^-?(0|[1-9]\d{0,14})(\.\d*[1-9])?$/.test(text)) return Number(text);
  return /^".*"$/.test(text) ? text.slice(1, -1) : text;
}

const headlines: Readonly<Record<Explanation["would"], string>> = {
  "answer-fresh": "It would come from memory, fresh. No load.",
  "answer-fresh-and-refresh": "It would come from memory, fresh, and begin a load ahead of expiry.",
  "answer-stale": "It would come from memory, stale. Nobody waits.",
  "wait-softly": "It would wait for the new value for a moment, and then be served stale.",
  "wait-for-load": "It would wait for the load that is under way.",
  load: "It would load from the source, and wait for it.",
  reject: "It would be rejected.",
};

function Told({ answer }: { readonly answer: ExplainAnswer }) {
  const { would, because, entry, load } = answer.explanation;
  return (
    <>
      <p>
        <b class={would === "reject" ? "bad" : undefined}>{headlines[would]}</b>{" "}
        <span class="s">Asking changed nothing: no read was counted, nothing was touched.</span>
      </p>
      <ul class="because">
        {because.map((sentence) => (
          <li key={sentence}>{sentence}</li>
        ))}
      </ul>
      {entry === undefined ? null : <Life entry={entry} />}
      <dl class="kv">
        {entry === undefined ? null : (
          <>
            <div>
              <dt>Reads of it</dt>
              <dd>{whole(entry.reads)}</dd>
            </div>
            {entry.earlyInMs === null ? null : (
              <div>
                <dt>Early refresh</dt>
                <dd>{entry.earlyInMs <= 0 ? "with the next read" : `by a read in ${age(entry.earlyInMs)}`}</dd>
              </div>
            )}
            {entry.tags.length === 0 ? null : (
              <div>
                <dt>{plural(entry.tags.length, "Tag")}</dt>
                <dd class="m">{entry.tags.join(", ")}</dd>
              </div>
            )}
          </>
        )}
        <div>
          <dt>Load</dt>
          <dd>
            {load === undefined
              ? "none under way"
              : `${load.state}${load.runningMs === null ? "" : ` for ${milliseconds(load.runningMs)}`}, ${whole(load.readers)} ${plural(load.readers, "reader waits", "readers wait")}`}
          </dd>
        </div>
        <div>
          <dt>Told by</dt>
          <dd>{answer.instance}, for itself</dd>
        </div>
      </dl>
    </>
  );
}

const barTop = 18;
const barHeight = 12;

/** The life of the value, from its load to the end of its stale window, and where in it we stand. */
function Life({ entry }: { readonly entry: NonNullable<Explanation["entry"]> }) {
  const [element, width] = useWidth<HTMLDivElement>();
  const freshFor = entry.ageMs + entry.freshForMs;
  const whole = Math.max(freshFor, entry.ageMs + entry.staleForMs);
  const x = (ms: number) => 1 + (Math.min(Math.max(ms, 0), whole) / Math.max(1, whole)) * (width - 2);
  const now = x(entry.ageMs);
  const late = now > width - 90;
  const staleToo = whole - freshFor > 1;
  return (
    <div ref={element} class="life">
      {width < 60 ? null : (
        <svg
          width={width}
          height="50"
          role="img"
          aria-label={`${age(entry.ageMs)} old; fresh for ${age(freshFor)}${staleToo ? `, gone after ${age(whole)}` : ""}`}
        >
          <rect x={x(0)} y={barTop} width={Math.max(0, x(freshFor) - x(0))} height={barHeight} fill="var(--store)" />
          <rect
            x={x(freshFor) + 1}
            y={barTop}
            width={Math.max(0, x(whole) - x(freshFor) - 1)}
            height={barHeight}
            fill="var(--stale)"
            opacity="0.45"
          />
          <path d={`M${now} ${barTop - 6}v${barHeight + 12}`} stroke="var(--ink)" stroke-width="2" />
          <text class="strong" x={now + (late ? -4 : 4)} y={barTop - 6} text-anchor={late ? "end" : "start"}>
            now, {age(entry.ageMs)} old
          </text>
          <text x={x(0)} y="46">
            loaded
          </text>
          {staleToo && x(freshFor) > 80 && x(freshFor) < width - 110 ? (
            <text x={x(freshFor)} y="46" text-anchor="middle">
              stale at {age(freshFor)}
            </text>
          ) : null}
          <text x={width - 1} y="46" text-anchor="end">
            {age(whole)}: gone
          </text>
        </svg>
      )}
    </div>
  );
}
