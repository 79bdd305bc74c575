import type { ComponentChildren } from "preact";
import { Bones, Section } from "../parts.tsx";
import { link, type Route } from "../route.ts";

interface JobFrameProps {
  readonly route: Route;
  readonly view: "loads" | "schedules" | "messages";
  /** The one that is shown; `undefined`: none is chosen. */
  readonly chosen: string | undefined;
  readonly narrow: boolean;
  /** `undefined`: it has not come yet. */
  readonly detail: ComponentChildren | undefined;
  /** Of which there are several; the view's own name unless given. */
  readonly all?: string | undefined;
  /** Why it does not come: a code. */
  readonly refused: string | undefined;
  /** What it will be called. */
  readonly waiting: string;
  /** All of them. */
  readonly children: ComponentChildren;
}

/** All jobs of a kind and one of them beneath, or in their place where it is narrow. */
export function JobFrame({ route, view, all, chosen, narrow, detail, refused, waiting, children }: JobFrameProps) {
  const shown =
    detail ??
    (refused === undefined ? (
      <Bones title={waiting} />
    ) : (
      <Section title={chosen}>
        <p class="s">
          The ledger does not tell: <code>{refused}</code>.
        </p>
      </Section>
    ));
  if (narrow && route.path[0] !== undefined) {
    return (
      <>
        <p class="back">
          <a class="l" href={link(route, view)}>
            ← All {all ?? view}
          </a>
        </p>
        {shown}
      </>
    );
  }
  return (
    <>
      {children}
      {narrow ? null : <div class="detail">{shown}</div>}
    </>
  );
}
