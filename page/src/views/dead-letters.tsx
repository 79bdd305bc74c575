import { useState } from "preact/hooks";
import type { LetterRow } from "../../../src/admin/consumer-rows.ts";
import type { ConsumerAnswer } from "../../../src/page/wire.ts";
import type { Administration } from "../administration.ts";
import { Refused } from "../data.ts";
import { age, bytes, full, second } from "../format.ts";
import { reasonMeans, reasonWords } from "../letters.ts";
import { Section, Unknown } from "../parts.tsx";

interface DeadLettersProps {
  readonly consumer: ConsumerAnswer["consumer"];
  readonly look: ConsumerAnswer["look"];
  readonly at: number;
  readonly administration: Administration;
  readonly lookAgain: () => void;
  readonly done: (answer: ConsumerAnswer) => void;
}

/** What is set aside, without its content, as it was looked at last; each sent again or removed by itself. */
export function DeadLetters({ consumer, look, at, administration, lookAgain, done }: DeadLettersProps) {
  if (!consumer.shows) {
    return (
      <Section title="Set aside">
        <p class="s">The source does not show what it has set aside. The broker's own tools do.</p>
      </Section>
    );
  }
  const aside = (
    <>
      {look === null ? "" : `looked at ${second(look.at)} `}
      <button type="button" class="btn ghost" onClick={lookAgain}>
        Look again
      </button>
    </>
  );
  return (
    <Section title="Set aside" aside={aside}>
      {look === null ? (
        <p class="s">Asking the broker.</p>
      ) : (
        <>
          {look.failed === null ? null : <p class="bad">{look.failed}</p>}
          {look.letters.length > 0 ? (
            <LetterTable letters={look.letters} {...{ name: consumer.name, at, administration, done }} />
          ) : look.failed === null ? (
            <p class="s">Nothing is set aside.</p>
          ) : null}
          {look.more ? <p class="small t note">The first {look.letters.length}. There are others still.</p> : null}
        </>
      )}
    </Section>
  );
}

interface LetterTableProps {
  readonly letters: readonly LetterRow[];
  readonly name: string;
  readonly at: number;
  readonly administration: Administration;
  readonly done: (answer: ConsumerAnswer) => void;
}

function LetterTable({ letters, name, at, administration, done }: LetterTableProps) {
  const { unlocked } = administration;
  const reasons = [...new Set(letters.flatMap(({ reason }) => reason ?? []))];
  return (
    <>
      <div class="tw">
        <table class={unlocked ? "letters unlocked" : "letters"}>
          <caption class="vh">Messages set aside by {name}, the first first</caption>
          <thead>
            <tr>
              <th scope="col">Reason</th>
              <th scope="col">Why</th>
              <th scope="col" class="r">
                Set aside
              </th>
              <th scope="col" class="r hide-s">
                Sent
              </th>
              <th scope="col" class="r hide-s">
                Size
              </th>
              <th scope="col" class="hide-s">
                Id
              </th>
              {unlocked ? <th scope="col">Act</th> : null}
            </tr>
          </thead>
          <tbody>
            {letters.map((letter) => (
              <tr key={letter.id}>
                <td>{letter.reason === null ? <span class="t">foreign</span> : reasonWords[letter.reason]}</td>
                <td class="wrap">{letter.why ?? <Unknown />}</td>
                <Age instant={letter.setAsideAt} at={at} />
                <Age instant={letter.sentAt} at={at} wide />
                <td class="r n hide-s">{letter.bytes === null ? <Unknown /> : bytes(letter.bytes)}</td>
                <td class="hide-s m id" title={letter.id}>
                  {letter.id}
                </td>
                {unlocked ? (
                  <td>
                    <LetterActs {...{ letter, name, administration, done }} />
                  </td>
                ) : null}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {reasons.length === 0 ? null : (
        <dl class="reasons small">
          {reasons.map((reason) => (
            <div key={reason}>
              <dt>{reasonWords[reason]}</dt>
              <dd class="t">{reasonMeans[reason]}</dd>
            </div>
          ))}
        </dl>
      )}
    </>
  );
}

interface AgeProps {
  readonly instant: number | null;
  readonly at: number;
  readonly wide?: boolean;
}

function Age({ instant, at, wide = false }: AgeProps) {
  return (
    <td class={`r n${wide ? " hide-s" : ""}`} title={instant === null ? undefined : full(instant)}>
      {instant === null ? <Unknown /> : age(Math.max(0, at - instant))}
    </td>
  );
}

interface LetterActsProps {
  readonly letter: LetterRow;
  readonly name: string;
  readonly administration: Administration;
  readonly done: (answer: ConsumerAnswer) => void;
}

function LetterActs({ letter: { id }, name, administration, done }: LetterActsProps) {
  const [asking, setAsking] = useState(false);
  const [sending, setSending] = useState(false);
  const [refused, setRefused] = useState<string | undefined>(undefined);
  const act = (does: "redrive" | "discard") => {
    setSending(true);
    setRefused(undefined);
    administration
      .act("consumer", name, { does, id })
      .then(done, (error: unknown) => setRefused(error instanceof Refused ? error.message : noAnswer))
      .finally(() => {
        setSending(false);
        setAsking(false);
      });
  };
  return (
    <div class="letter-acts">
      {asking ? (
        <>
          <button type="button" class="btn bad" disabled={sending} onClick={() => act("discard")}>
            Discard for good
          </button>
          <button type="button" class="btn ghost" disabled={sending} onClick={() => setAsking(false)}>
            Keep
          </button>
        </>
      ) : (
        <>
          <button type="button" class="btn" disabled={sending} onClick={() => act("redrive")}>
            Redrive
          </button>
          <button type="button" class="btn ghost" disabled={sending} onClick={() => setAsking(true)}>
            Discard
          </button>
        </>
      )}
      {refused === undefined ? null : (
        <span class="bad small" role="alert">
          {refused}
        </span>
      )}
    </div>
  );
}

const noAnswer = "The service did not answer, so it may have been done all the same. Look again.";
