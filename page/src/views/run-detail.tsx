import type { RunRow } from "../../../src/admin/rows.ts";
import type { Progress } from "../../../src/contract/ledger.ts";
import type { Decided } from "../../../src/decisions/decided.ts";
import type { RunAnswer } from "../../../src/page/wire.ts";
import type { Administration } from "../administration.ts";
import { age, full, whole } from "../format.ts";
import { Bones, Section } from "../parts.tsx";
import { valueIn } from "./answers.ts";
import { Facts } from "./facts.tsx";
import { SettlePanel } from "./settle-panel.tsx";
import { RunTimeline } from "./timeline.tsx";

/** How a run stands, in a word or two. */
export function wordsOfRun({ state, refused, token, progress, cancelled }: RunRow): string {
  const ends = cancelled && (state === "running" || state === "open");
  const words =
    state === "done" && refused === true
      ? "refused"
      : state === "running" && progress !== null
        ? `running, ${progressOf(progress)}`
        : ends
          ? `${state}, cancelled`
          : state;
  return token > 1 ? `${words}, attempt ${token}` : words;
}

interface RunDetailProps {
  readonly run: RunAnswer | "gone" | undefined;
  readonly decisions: readonly Decided[];
  readonly at: number;
  readonly administration: Administration;
  readonly askUnlock: () => void;
  readonly decided: (answer: RunAnswer) => void;
}

export function RunDetail({ run, decisions, at, administration, askUnlock, decided }: RunDetailProps) {
  if (run === undefined) return <Bones title="Run" />;
  if (run === "gone") {
    return (
      <Section title="Run">
        <p class="s">This run is not kept, or no longer.</p>
      </Section>
    );
  }
  const { run: found, timeline } = run;
  const cost = valueIn(decisions.find(({ name }) => name === found.operation)?.answers["costIfTwice"]);
  const facts: readonly (readonly [string, string])[] = [
    ["Identity", `${found.operation} / ${found.identity}`],
    ["Caller's key", found.key ?? "none"],
    ["Belongs to", found.principal],
    ["Fingerprint", found.fingerprint],
    ["Costs if twice", cost ?? "nobody has decided"],
    ["Kept until", full(found.keepUntil)],
    ...(found.progress === null ? [] : [["Progress", progressOf(found.progress)] as const]),
  ];
  return (
    <Section
      title={
        <>
          <span class="m">
            {found.operation} / {found.identity}
          </span>{" "}
          <span class={`light ${found.state === "unknown" ? "bad" : "s"}`}>
            {found.state === "unknown"
              ? `unknown for ${age(at - (found.endedAt ?? found.createdAt))}`
              : found.state === "done" && found.token > 1
                ? `${wordsOfRun(found).split(",")[0]}, after ${found.token} attempts`
                : wordsOfRun(found)}
          </span>
        </>
      }
      aside="times on the ledger's clock"
    >
      <Facts facts={facts} />
      <RunTimeline timeline={timeline} />
      <div class="legend note">
        <span>
          <svg width="10" height="10" aria-hidden="true">
            <rect x="1" y="1" width="8" height="8" fill="var(--ink)" />
          </svg>
          durable in the ledger
        </span>
        <span>
          <svg width="18" height="10" aria-hidden="true">
            <path d="M0 5h18" stroke="var(--ink)" stroke-dasharray="3 2" />
          </svg>
          outside, may be lost
        </span>
        <span class="hide-s">#1, #2: token</span>
      </div>
      {/* what was opened or said about one run is not about another */}
      <SettlePanel key={found.id} answer={run} {...{ administration, askUnlock, decided }} />
    </Section>
  );
}

const progressOf = ({ done, total }: Progress): string =>
  total === null ? whole(done) : `${whole(done)} of ${whole(total)}`;
