import { useLayoutEffect, useRef, useState } from "preact/hooks";
import type { Choice } from "../../../src/admin/choices.ts";
import type { RunAnswer } from "../../../src/page/wire.ts";
import { Refused } from "../data.ts";
import { remember, remembered } from "./who.ts";

interface ChoiceFormProps {
  readonly choice: Choice;
  readonly label: string;
  readonly send: (decision: object) => Promise<RunAnswer>;
  readonly cancel: (event: Event) => void;
  readonly done: (after: RunAnswer, who: string) => void;
}

/** What a choice needs to be told before it is carried out: what there is to tell, who and why. */
export function ChoiceForm({ choice, label, send, cancel, done }: ChoiceFormProps) {
  const { does, effect, with: given, refusals = [] } = choice;
  const form = useRef<HTMLFormElement>(null);
  const [value, setValue] = useState("");
  const [refusal, setRefusal] = useState(refusals[0] ?? "");
  const [who, setWho] = useState(remembered);
  const [why, setWhy] = useState("");
  const [sending, setSending] = useState(false);
  const [refused, setRefused] = useState<string | undefined>(undefined);
  // before the next key is pressed: it would be a key of the page
  useLayoutEffect(() => form.current?.querySelector<HTMLElement>("textarea, select, input")?.focus(), []);
  const parsed = given === "value" ? parse(value) : undefined;
  const incomplete = who.trim() === "" || why.trim() === "" || (given === "value" && parsed === undefined);
  const submit = (event: Event) => {
    event.preventDefault();
    if (incomplete || sending) return;
    setSending(true);
    setRefused(undefined);
    remember(who.trim());
    const said = given === "value" ? parsed : given === "refusal" ? { refusal } : {};
    send({ does, effect, with: given, ...said, who: who.trim(), why: why.trim() })
      .then(
        (after) => done(after, who.trim()),
        (error: unknown) => setRefused(error instanceof Refused ? error.message : noAnswer),
      )
      .finally(() => setSending(false));
  };
  return (
    <form
      ref={form}
      class="choice"
      aria-label={label}
      onSubmit={submit}
      onKeyDown={(event) => {
        if (event.key !== "Escape") return;
        // it closes the form, not the view
        event.stopPropagation();
        cancel(event);
      }}
    >
      {given === "value" ? (
        <label class="wide">
          <span>
            {does === "settle" ? "What it would have returned, as JSON" : `The answer of '${effect}', as JSON`}
          </span>
          <textarea
            class="m"
            rows={3}
            spellcheck={false}
            autocomplete="off"
            value={value}
            placeholder='{ "id": "…" }'
            aria-invalid={value.trim() !== "" && parsed === undefined}
            onInput={({ currentTarget }) => setValue(currentTarget.value)}
          />
          <span class={value.trim() !== "" && parsed === undefined ? "bad" : ""}>
            {value.trim() !== "" && parsed === undefined
              ? "This is no JSON yet."
              : "It is kept in the ledger, and shown to nobody here."}
          </span>
        </label>
      ) : null}
      {given === "refusal" ? (
        <label>
          <span>Refusal</span>
          <select value={refusal} onChange={({ currentTarget }) => setRefusal(currentTarget.value)}>
            {refusals.map((code) => (
              <option key={code} value={code}>
                {code}
              </option>
            ))}
          </select>
        </label>
      ) : null}
      <label>
        <span>Who decides</span>
        <input
          value={who}
          maxLength={200}
          autocomplete="username"
          onInput={({ currentTarget }) => setWho(currentTarget.value)}
        />
      </label>
      <label class="why">
        <span>Why</span>
        <input
          value={why}
          maxLength={1000}
          autocomplete="off"
          placeholder="seen in the gateway's records"
          onInput={({ currentTarget }) => setWhy(currentTarget.value)}
        />
      </label>
      <p class="bad small wide" role="alert">
        {refused}
      </p>
      <div class="acting wide">
        <button type="submit" class="btn" disabled={incomplete || sending}>
          {sending ? "Deciding" : label}
        </button>
        <button type="button" class="btn ghost" onClick={cancel}>
          Close
        </button>
        {incomplete ? (
          <span class="small t">{missing(who, why, given === "value" && parsed === undefined)}</span>
        ) : null}
      </div>
    </form>
  );
}

const noAnswer =
  "The service did not answer, so the decision may have been carried out all the same. Look at the run before you repeat it.";

function missing(who: string, why: string, value: boolean): string {
  const parts = [
    ...(value ? ["a value"] : []),
    ...(who.trim() === "" ? ["who"] : []),
    ...(why.trim() === "" ? ["why"] : []),
  ];
  return `Still to say: ${parts.join(", ")}.`;
}

function parse(text: string): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) as unknown };
  } catch {
    return undefined;
  }
}
