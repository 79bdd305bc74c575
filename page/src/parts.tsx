import type { ComponentChildren } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { whole } from "./format.ts";

export type Mark = "evidence" | "declared" | "default" | "undecided" | "contradicted" | "none";

export const markWords: Readonly<Record<Mark, string>> = {
  evidence: "evidence",
  declared: "declared only",
  default: "default",
  undecided: "undecided",
  contradicted: "contradicted",
  none: "does not apply",
};

export const toneOf = (mark: Mark): string => (mark === "undecided" ? "warn" : mark === "contradicted" ? "bad" : "");

/** State is a shape first, a colour second. */
export function Glyph({ mark }: { readonly mark: Mark }) {
  return (
    <svg class="g" viewBox="0 0 12 12" aria-hidden="true">
      {shapes[mark]}
    </svg>
  );
}

const shapes: Readonly<Record<Mark, ComponentChildren>> = {
  evidence: <circle cx="6" cy="6" r="4.5" fill="var(--ink2)" />,
  declared: [
    <circle key="ring" cx="6" cy="6" r="4" fill="none" stroke="var(--ink2)" stroke-width="1.3" />,
    <path key="half" d="M6 2a4 4 0 0 0 0 8z" fill="var(--ink2)" />,
  ],
  default: <circle cx="6" cy="6" r="4" fill="none" stroke="var(--ink3)" stroke-width="1.3" />,
  undecided: (
    <circle cx="6" cy="6" r="4.2" fill="none" stroke="var(--warn)" stroke-width="1.6" stroke-dasharray="2.2 2.2" />
  ),
  contradicted: <path d="M6 1 11.5 11H.5z" fill="var(--bad)" />,
  none: <path d="M4 6h4" stroke="var(--line2)" stroke-width="1.4" />,
};

const legend: readonly (readonly [Mark, string])[] = [
  ["evidence", "answered with evidence"],
  ["declared", "declared, not shown yet"],
  ["default", "a default"],
  ["undecided", "nobody has decided"],
];

export function GlyphLegend() {
  return (
    <div class="legend">
      {legend.map(([mark, text]) => (
        <span key={mark}>
          <Glyph mark={mark} />
          {text}
        </span>
      ))}
    </div>
  );
}

interface SectionProps {
  readonly class?: string;
  readonly title: ComponentChildren;
  readonly aside?: ComponentChildren;
  readonly children: ComponentChildren;
}

export function Section({ class: name, title, aside, children }: SectionProps) {
  return (
    <section class={name}>
      <header>
        <h2>{title}</h2>
        {aside === undefined ? null : <div class="aside">{aside}</div>}
      </header>
      {children}
    </section>
  );
}

interface FigProps {
  readonly label: string;
  readonly value: ComponentChildren;
  readonly unit?: string;
  readonly note?: string | undefined;
  readonly tone?: string | undefined;
}

export function Fig({ label, value, unit, note, tone }: FigProps) {
  return (
    <div class="fig">
      <dt>{label}</dt>
      <dd class={tone}>
        {value}
        {unit === undefined ? null : <small>{unit}</small>}
      </dd>
      {note === undefined ? null : <dd class="d">{note}</dd>}
    </div>
  );
}

/** Used of a bound. */
export function Meter({ share, width = 64 }: { readonly share: number; readonly width?: number }) {
  const used = Math.min(1, Math.max(0, share));
  return (
    <svg width={width} height="6" aria-hidden="true" class="meter">
      <rect width={width} height="6" rx="1.5" fill="var(--line)" />
      <rect
        width={Math.max(1, width * used)}
        height="6"
        rx="1.5"
        fill={used > 0.95 ? "var(--stale-e)" : "var(--ink3)"}
      />
    </svg>
  );
}

interface SparkProps {
  readonly values: readonly (number | null)[];
  readonly min: number;
  readonly max: number;
}

/** Every row of a column shares one scale, which the column's head names. A gap stays a gap. */
export function Spark({ values, min, max }: SparkProps) {
  const [width, height] = [120, 22];
  if (values.length < 2) return null;
  const x = (index: number) => (index / (values.length - 1)) * (width - 5) + 1;
  const y = (value: number) => height - 2 - ((Math.min(Math.max(value, min), max) - min) / (max - min)) * (height - 4);
  let path = "";
  let drawing = false;
  for (const [index, value] of values.entries()) {
    if (value === null) drawing = false;
    else {
      path += `${drawing ? "L" : "M"}${x(index).toFixed(1)} ${y(value).toFixed(1)}`;
      drawing = true;
    }
  }
  const last = values.at(-1);
  return (
    <svg width={width} height={height} viewBox={`0 0 ${width} ${height}`} aria-hidden="true" class="spark">
      <path d={path} fill="none" stroke="var(--shared-e)" stroke-width="1.25" />
      {typeof last === "number" ? <circle cx={x(values.length - 1)} cy={y(last)} r="2" fill="var(--shared-e)" /> : null}
    </svg>
  );
}

/** `**` around what weighs. */
export function Rich({ text }: { readonly text: string }) {
  return <>{text.split("**").map((part, index) => (index % 2 === 1 ? <b key={`${index}${part}`}>{part}</b> : part))}</>;
}

/** A row that leads somewhere: by click, and by Enter. */
export function goes(href: string) {
  return {
    "data-go": href,
    tabIndex: 0,
    onClick: () => {
      location.hash = href;
    },
    onKeyDown: (event: KeyboardEvent) => {
      if (event.key === "Enter") location.hash = href;
    },
  };
}

export function useWidth<E extends HTMLElement>() {
  const element = useRef<E>(null);
  const [width, setWidth] = useState(0);
  useLayoutEffect(() => {
    const { current } = element;
    if (current === null) return;
    setWidth(Math.floor(current.clientWidth));
    const observer = new ResizeObserver(() => setWidth(Math.floor(current.clientWidth)));
    observer.observe(current);
    return () => observer.disconnect();
  }, []);
  return [element, width] as const;
}

const narrowly = matchMedia("(max-width: 720px)");

export function useNarrow(): boolean {
  const [narrow, setNarrow] = useState(narrowly.matches);
  useEffect(() => {
    const changed = () => setNarrow(narrowly.matches);
    narrowly.addEventListener("change", changed);
    return () => narrowly.removeEventListener("change", changed);
  }, []);
  return narrow;
}

/** Nothing for 300 ms, then bars that stand still: what arrives quickly must not flicker. */
export function Bones({ title }: { readonly title: string }) {
  const [shown, setShown] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setShown(true), 300);
    return () => clearTimeout(timer);
  }, []);
  return (
    <Section title={title}>
      <div class={`bones${shown ? "" : " bones-wait"}`} aria-hidden="true">
        <span class="bone w72" />
        <span class="bone w54" />
        <span class="bone w63" />
        <span class="bone w40" />
      </div>
    </Section>
  );
}

export const Nobody = () => <span class="warn">nobody has decided</span>;

/** What nobody knows. */
export const Unknown = () => <span class="t">–</span>;

/** Nothing is told quietly. */
export const quiet = (value: number) => (value === 0 ? <span class="t">0</span> : whole(value));
