import { useLayoutEffect, useRef, useState } from "preact/hooks";
import type { Administration } from "../administration.ts";

interface UnlockProps {
  readonly administration: Administration;
  readonly open: boolean;
  readonly close: () => void;
}

/** Where the token is typed, or why there is nothing to type. */
export function Unlock({ administration, open, close }: UnlockProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const { answer, unlocked, unlock, lock } = administration;
  const [token, setToken] = useState("");
  const [why, setWhy] = useState<string | undefined>(undefined);
  useLayoutEffect(() => {
    if (open) dialog.current?.showModal();
    else dialog.current?.close();
    setToken("");
    setWhy(undefined);
  }, [open]);
  const submit = (event: Event) => {
    event.preventDefault();
    void unlock(token.trim()).then((refused) => {
      setWhy(refused);
      if (refused === undefined) close();
    });
  };
  const here = answer?.decides === "here";
  return (
    <dialog ref={dialog} aria-labelledby="unlock" onClose={close}>
      <h2 id="unlock">{unlocked ? "Decisions are carried out" : "Read-only"}</h2>
      {unlocked ? (
        <p class="s note">
          This tab carries the token until it is closed or locked. Each decision says first what it will do, and is kept
          with who made it and why.
        </p>
      ) : here ? (
        <p class="s note">With the token of this service you may decide about recorded work, from this machine.</p>
      ) : (
        <p class="s note">
          {answer?.why ?? "The service has not answered yet."}
          {answer?.decides === "nowhere" ? (
            <>
              {" "}
              <code class="block">pageHandler(reprise, {"{ token }"})</code>
            </>
          ) : null}
        </p>
      )}
      <p class="s note">
        In a shell: <code>npx reprise operations list MODULE</code>
      </p>
      <form class="unlock" onSubmit={submit}>
        {here && !unlocked ? (
          <label>
            <span>Token</span>
            <input
              type="password"
              class="m"
              name="token"
              value={token}
              autocomplete="off"
              spellcheck={false}
              aria-invalid={why !== undefined}
              onInput={({ currentTarget }) => setToken(currentTarget.value)}
            />
          </label>
        ) : null}
        <p class="bad small" role="alert">
          {why}
        </p>
        <div class="acting">
          {here && !unlocked ? (
            <button type="submit" class="btn" disabled={token.trim() === ""}>
              Unlock
            </button>
          ) : null}
          {unlocked ? (
            <button
              type="button"
              class="btn"
              onClick={() => {
                lock();
                close();
              }}
            >
              Lock
            </button>
          ) : null}
          <button type="button" class={here || unlocked ? "btn ghost" : "btn"} onClick={close}>
            Close
          </button>
        </div>
      </form>
    </dialog>
  );
}
