import { useLayoutEffect, useRef, useState } from "preact/hooks";
import type { Choice } from "../../../src/admin/choices.ts";
import type { RunAnswer } from "../../../src/page/wire.ts";
import type { Administration } from "../administration.ts";
import { Section } from "../parts.tsx";
import { ChoiceForm } from "./choice-form.tsx";
import { Locked } from "./locked.tsx";

interface SettlePanelProps {
  readonly answer: RunAnswer;
  readonly administration: Administration;
  readonly askUnlock: () => void;
  /** The run as it stands after a decision. */
  readonly decided: (answer: RunAnswer) => void;
}

/** What a person may decide about a run: what is safe first, each saying what it will do before it does. */
export function SettlePanel({ answer, administration, askUnlock, decided }: SettlePanelProps) {
  const { run, choices } = answer;
  const [open, setOpen] = useState<string | undefined>(undefined);
  const [recorded, setRecorded] = useState<string | undefined>(undefined);
  const said = useRef<HTMLParagraphElement>(null);
  useLayoutEffect(() => {
    // the button that had the focus is gone
    if (recorded !== undefined) said.current?.focus();
  }, [recorded]);
  if (choices.length === 0 && recorded === undefined) return null;
  const { unlocked } = administration;
  return (
    <div class="decide">
      <Section title={titleOf(answer)}>
        <p class="recorded" role="status" tabIndex={-1} ref={said}>
          {recorded}
        </p>
        {choices.length === 0 || unlocked ? null : (
          <Locked
            {...{ administration, askUnlock }}
            doing="decide"
            shell={`npx reprise operations show MODULE ${run.id}`}
          >
            . Either way it is recorded with your name.
          </Locked>
        )}
        <ul class="acts">
          {choices.map((choice) => {
            const key = keyOf(choice);
            const shown = unlocked && open === key;
            return (
              <li key={key}>
                <button
                  type="button"
                  class="btn"
                  disabled={!unlocked}
                  aria-expanded={shown}
                  aria-describedby={`says-${key}`}
                  onClick={() => setOpen(shown ? undefined : key)}
                >
                  {labelOf(choice)}
                </button>
                <div>
                  <p id={`says-${key}`}>
                    {choice.risks === undefined ? <b>Safe. </b> : null}
                    {choice.says}
                    {choice.risks === undefined ? null : (
                      <>
                        {" "}
                        <span class="bad">If you are wrong:</span> <span class="s">{choice.risks}</span>
                      </>
                    )}
                  </p>
                  {shown ? (
                    <ChoiceForm
                      choice={choice}
                      label={labelOf(choice)}
                      send={(decision) => administration.decide(run.id, decision)}
                      cancel={(event) => {
                        setOpen(undefined);
                        buttonOf(event)?.focus();
                      }}
                      done={(after, who) => {
                        setOpen(undefined);
                        setRecorded(`Recorded, by ${who}: ${labelOf(choice)}. The work is ${after.run.state} now.`);
                        decided(after);
                      }}
                    />
                  ) : null}
                </div>
              </li>
            );
          })}
        </ul>
      </Section>
    </div>
  );
}

function titleOf({ run, choices }: RunAnswer): string {
  const effect = choices.find(({ does }) => does === "answer")?.effect;
  if (run.state === "unknown" && effect !== undefined) return `Decide: did '${effect}' happen?`;
  return choices.length === 0 ? "Decided" : run.state === "running" ? "Decide: is its owner gone?" : "Decide";
}

const keyOf = ({ does, effect, with: given }: Choice) => [does, given, effect].filter(Boolean).join("-");

const labels: Readonly<Record<string, string>> = {
  "answer value": "Answer: it happened",
  "answer never-happened": "Answer: it did not",
  "settle value": "Settle: done",
  "settle refusal": "Settle: refused",
};

/** A choice that this page does not know is named by its verb. */
const labelOf = ({ does, with: given }: Choice): string =>
  labels[`${does} ${given}`] ?? `${does.charAt(0).toUpperCase()}${does.slice(1)}`;

const buttonOf = ({ currentTarget }: Event) =>
  (currentTarget as HTMLElement | null)?.closest("li")?.querySelector<HTMLElement>(":scope > button");
