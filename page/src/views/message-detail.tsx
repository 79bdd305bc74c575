import type { Decided } from "../../../src/decisions/decided.ts";
import type { ConsumerMetrics, Metrics } from "../../../src/observe/metrics.ts";
import type { ConsumerAnswer } from "../../../src/page/wire.ts";
import type { Administration } from "../administration.ts";
import { whole } from "../format.ts";
import { Fig, Section, Unknown } from "../parts.tsx";
import { link, type Route } from "../route.ts";
import { ActPanel } from "./act-panel.tsx";
import { valueIn } from "./answers.ts";
import { DeadLetters } from "./dead-letters.tsx";
import { Facts } from "./facts.tsx";

interface MessageDetailProps {
  readonly answer: ConsumerAnswer;
  readonly at: number;
  readonly declared: Decided | undefined;
  /** In the range shown; `undefined`: nobody has counted. */
  readonly counted: ConsumerMetrics | undefined;
  readonly metrics: Metrics | undefined;
  readonly route: Route;
  readonly administration: Administration;
  readonly askUnlock: () => void;
  readonly lookAgain: () => void;
  readonly done: (answer: ConsumerAnswer) => void;
}

export function MessageDetail(props: MessageDetailProps) {
  const { answer, at, declared, counted, metrics, route, administration, askUnlock, lookAgain, done } = props;
  const { consumer, look, asked, choices } = answer;
  const { name, operation, parked } = consumer;
  const answers = declared?.answers ?? {};
  const facts: readonly (readonly [string, string])[] = [
    ["Operation", operation],
    ["Run if sent within", valueIn(answers["deliveredWithin"]) ?? ""],
    ["Horizon", valueIn(answers["horizon"]) ?? ""],
    ["Attempts", `${valueIn(answers["attempts"])}, again after ${valueIn(answers["retryIn"])}`],
    ["Order", valueIn(answers["inOrderBy"]) ?? ""],
  ];
  return (
    <>
      <Section
        title={<span class="m">{name}</span>}
        aside={metrics === undefined ? undefined : `counted in the range shown: ${rangeWords[metrics.range]}`}
      >
        <Facts facts={facts} />
        <Figures counted={counted} consumer={consumer} />
        {parked.count === 0 ? null : (
          <div class="notice" role="note">
            <span>
              <b>
                {whole(parked.count)}
                {parked.more ? " and more" : ""} parked
              </b>{" "}
              in the ledger: an answer of theirs is lost, and a person says what became of it.
            </span>
            <a class="btn" href={link(route, "operations", [operation], { state: "unknown" })}>
              See them
            </a>
          </div>
        )}
      </Section>
      <div class="note-section">
        <DeadLetters key={name} {...{ consumer, look, at, administration, lookAgain, done }} />
      </div>
      {choices.length === 0 ? null : (
        <ActPanel
          key={`${name} act`}
          kind="consumer"
          timeZone={null}
          {...{ name, choices, asked, administration, askUnlock, done }}
        />
      )}
    </>
  );
}

const rangeWords = { "15m": "15 min", "1h": "1 h", "24h": "24 h", "7d": "7 d" } as const;

interface FiguresProps {
  readonly counted: ConsumerMetrics | undefined;
  readonly consumer: ConsumerAnswer["consumer"];
}

function Figures({ counted, consumer }: FiguresProps) {
  const total = counted?.total;
  const figure = (value: number | null | undefined) => (value === null || value === undefined ? "–" : whole(value));
  const tone = (value: number | null | undefined, bad: "warn" | "bad") => ((value ?? 0) > 0 ? bad : undefined);
  if (total === undefined && consumer.waiting === null && consumer.setAside === null) {
    return (
      <p class="s note">
        <Unknown /> Nobody has counted yet, and the broker has not told.
      </p>
    );
  }
  return (
    <dl class="figs counts">
      <Fig label="Waiting" value={figure(consumer.waiting)} note="at the broker, now" />
      <Fig label="Received" value={figure(total?.received)} note="deliveries" />
      <Fig label="Ran" value={figure(total?.ran)} note="once each" />
      <Fig label="Absorbed" value={figure(total?.replayed)} note="known already, not run again" />
      {(total?.refused ?? 0) === 0 ? null : (
        <Fig label="Refused" value={figure(total?.refused)} note="stored answers" />
      )}
      {(total?.failed ?? 0) === 0 ? null : (
        <Fig label="Failed" value={figure(total?.failed)} tone="warn" note="attempts" />
      )}
      {(total?.unknown ?? 0) === 0 ? null : (
        <Fig label="Unknown" value={figure(total?.unknown)} tone="bad" note="for a person" />
      )}
      <Fig
        label="Set aside"
        value={figure(consumer.setAside)}
        tone={tone(consumer.setAside, "warn")}
        note="at the broker, now"
      />
    </dl>
  );
}
