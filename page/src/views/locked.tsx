import type { ComponentChildren } from "preact";
import type { Administration } from "../administration.ts";

interface LockedProps {
  readonly administration: Administration;
  readonly askUnlock: () => void;
  /** What the token lets one do: "act". */
  readonly doing: string;
  /** The command that does it in a shell. */
  readonly shell: string;
  readonly children?: ComponentChildren;
}

/** Why nothing can be done here yet, and how it can. */
export function Locked({ administration: { answer }, askUnlock, doing, shell, children }: LockedProps) {
  const here = answer?.decides === "here";
  return (
    <div class="lock">
      <span>
        <b>Read-only.</b> {here ? `Unlock with the token to ${doing}` : (answer?.why ?? "")}
        {here ? ", or in a shell: " : " In a shell: "}
        <code>{shell}</code>
        {children}
      </span>
      <button type="button" class="btn" onClick={askUnlock}>
        {here ? "Unlock" : "How"}
      </button>
    </div>
  );
}
