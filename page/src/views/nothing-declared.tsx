import type { ComponentChildren } from "preact";
import { Section } from "../parts.tsx";

interface NothingDeclaredProps {
  readonly title: string;
  /** The first one to write. */
  readonly code: string;
  readonly children: ComponentChildren;
}

/** Of a kind of which nothing is declared here: what it is for, and how it begins. */
export function NothingDeclared({ title, code, children }: NothingDeclaredProps) {
  return (
    <>
      <div class="head">
        <div>
          <h1>{title}</h1>
          <p class="lede">{children}</p>
        </div>
      </div>
      <Section title="The first one">
        <pre class="m">{code}</pre>
      </Section>
    </>
  );
}
