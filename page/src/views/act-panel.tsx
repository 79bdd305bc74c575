import { useLayoutEffect, useRef, useState } from "preact/hooks";
import type { JobChoice } from "../../../src/admin/job-choices.ts";
import type { AskedJob, JobKind } from "../../../src/page/wire.ts";
import type { Administration } from "../administration.ts";
import { type JobAnswers, Refused } from "../data.ts";
import { second } from "../format.ts";
import { deadLetterReasons, reasonWords } from "../letters.ts";
import { Section } from "../parts.tsx";
import { ActEnd } from "./act-end.tsx";
import { Locked } from "./locked.tsx";
import { remember, remembered } from "./who.ts";

interface ActPanelProps<K extends JobKind> {
  readonly kind: K;
  readonly name: string;
  readonly choices: readonly JobChoice[];
  readonly asked: AskedJob | null;
  readonly timeZone: string | null;
  readonly administration: Administration;
  readonly askUnlock: () => void;
  /** As it stands after it. */
  readonly done: (answer: JobAnswers[K]) => void;
}

/** What a person may have done with a load, a schedule or a consumer: what is safe first, each saying what it will do before it does. */
export function ActPanel<K extends JobKind>(props: ActPanelProps<K>) {
  const { kind, name, choices, asked, timeZone, administration, askUnlock, done } = props;
  const [open, setOpen] = useState<string | undefined>(undefined);
  const said = useRef<HTMLDivElement>(null);
  const [acted, setActed] = useState(0);
  useLayoutEffect(() => {
    // the button that had the focus is gone
    if (acted > 0) said.current?.focus();
  }, [acted]);
  const { unlocked } = administration;
  return (
    <div class="decide">
      <Section title="Act">
        <div class="asked" role="status" tabIndex={-1} ref={said}>
          {asked === null ? null : <Asked asked={asked} timeZone={timeZone} />}
        </div>
        {unlocked ? null : <Locked {...{ administration, askUnlock }} doing="act" shell={shellOf(kind, name)} />}
        <ul class="acts">
          {choices.map((choice) => {
            const shown = unlocked && open === choice.does;
            return (
              <li key={choice.does}>
                <button
                  type="button"
                  class="btn"
                  disabled={!unlocked}
                  aria-expanded={shown}
                  aria-describedby={`says-${choice.does}`}
                  onClick={() => setOpen(shown ? undefined : choice.does)}
                >
                  {labels[choice.does]}
                </button>
                <div>
                  <p id={`says-${choice.does}`}>
                    {choice.risks === undefined ? <b>Safe. </b> : null}
                    {choice.says}
                    {choice.risks === undefined ? null : (
                      <>
                        {" "}
                        <span class="bad">Mind:</span> <span class="s">{choice.risks}</span>
                      </>
                    )}
                  </p>
                  {shown ? (
                    <ActForm
                      choice={choice}
                      send={(body) => administration.act(kind, name, body)}
                      cancel={(event) => {
                        setOpen(undefined);
                        (event.currentTarget as HTMLElement | null)
                          ?.closest("li")
                          ?.querySelector<HTMLElement>(":scope > button")
                          ?.focus();
                      }}
                      done={(answer) => {
                        setOpen(undefined);
                        setActed(acted + 1);
                        done(answer);
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

const labels: Readonly<Record<JobChoice["does"], string>> = {
  run: "Run now",
  preview: "Preview",
  reconcile: "Reconcile",
  pause: "Pause",
  resume: "Resume",
  redrive: "Redrive",
  discard: "Discard",
};

const shellOf = (kind: JobKind, name: string): string =>
  kind === "consumer"
    ? `npx reprise messages redrive MODULE --consumer '${name}'`
    : `npx reprise ${kind} run MODULE ${name}`;

function Asked({ asked, timeZone }: { readonly asked: AskedJob; readonly timeZone: string | null }) {
  const { does, at, ended } = asked;
  return (
    <>
      <p>
        <b>{labels[does]}</b> <span class="t">asked here at {second(at)}</span>
        {ended === null ? <span class="t">, under way</span> : null}
      </p>
      {ended === null ? null : <ActEnd end={ended.end} timeZone={timeZone} />}
    </>
  );
}

interface ActFormProps<A> {
  readonly choice: JobChoice;
  readonly send: (body: object) => Promise<A>;
  readonly cancel: (event: Event) => void;
  readonly done: (answer: A) => void;
}

function ActForm<A>({ choice: { does, asks }, send, cancel, done }: ActFormProps<A>) {
  const form = useRef<HTMLFormElement>(null);
  const [from, setFrom] = useState("");
  const [to, setTo] = useState("");
  const [reason, setReason] = useState("");
  const [who, setWho] = useState(remembered);
  const [why, setWhy] = useState("");
  const [sending, setSending] = useState(false);
  const [refused, setRefused] = useState<string | undefined>(undefined);
  // before the next key is pressed: it would be a key of the page
  useLayoutEffect(() => form.current?.querySelector<HTMLElement>("input, select, button")?.focus(), []);
  const incomplete =
    (asks === "note" && (who.trim() === "" || why.trim() === "")) || (does === "discard" && reason === "");
  const submit = (event: Event) => {
    event.preventDefault();
    if (incomplete || sending) return;
    setSending(true);
    setRefused(undefined);
    if (asks === "note") remember(who.trim());
    const said = {
      note: { who: who.trim(), why: why.trim() },
      range: { from, to },
      reason: reason === "" ? {} : { reason },
    };
    send({ does, ...(asks === null ? {} : said[asks]) })
      .then(done, (error: unknown) => setRefused(error instanceof Refused ? error.message : noAnswer))
      .finally(() => setSending(false));
  };
  const field = (label: string, value: string, set: (value: string) => void, hint: string) => (
    <label>
      <span>{label}</span>
      <input
        value={value}
        maxLength={label === "Why" ? 1_000 : 200}
        autocomplete="off"
        placeholder={hint}
        onInput={({ currentTarget }) => set(currentTarget.value)}
      />
    </label>
  );
  return (
    <form
      ref={form}
      class="choice"
      aria-label={labels[does]}
      onSubmit={submit}
      onKeyDown={(event) => {
        if (event.key !== "Escape") return;
        // it closes the form, not the view
        event.stopPropagation();
        cancel(event);
      }}
    >
      {asks === "range" ? (
        <>
          {field("From, empty: from the least", from, setFrom, "2026-01")}
          {field("Before, empty: to the greatest", to, setTo, "2026-02")}
        </>
      ) : null}
      {asks === "reason" ? (
        <label>
          <span>Set aside for</span>
          <select value={reason} onChange={({ currentTarget }) => setReason(currentTarget.value)}>
            <option value="">{does === "discard" ? "choose a reason" : "any reason"}</option>
            {deadLetterReasons.map((one) => (
              <option key={one} value={one}>
                {reasonWords[one]}
              </option>
            ))}
          </select>
        </label>
      ) : null}
      {asks === "note" ? (
        <>
          {field("Who decides", who, setWho, "")}
          {field("Why", why, setWhy, "the price API is down until noon")}
        </>
      ) : null}
      <p class="bad small wide" role="alert">
        {refused}
      </p>
      <div class="acting wide">
        <button type="submit" class="btn" disabled={incomplete || sending}>
          {sending ? "Under way" : labels[does]}
        </button>
        <button type="button" class="btn ghost" onClick={cancel}>
          Close
        </button>
        {sending ? <span class="small t">It goes on if you leave.</span> : null}
      </div>
    </form>
  );
}

const noAnswer = "The service did not answer, so it may have been done all the same. Look before you repeat it.";
