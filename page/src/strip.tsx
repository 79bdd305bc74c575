import type { ComponentChildren } from "preact";
import { useWidth } from "./parts.tsx";

/** Things in their order, side by side, each a shape; as many lines as the width asks for. */

interface StripProps<T> {
  readonly items: readonly T[];
  /** What is seen, in words, for who does not see it. */
  readonly label: string;
  /** What the first of them is, and what the last. */
  readonly ends: readonly [first: string, last: string];
  readonly height: number;
  /** Of an item: cells are as wide as there is room, within these. */
  readonly least: number;
  readonly most: number;
  readonly keyOf: (item: T) => string | number;
  readonly titleOf: (item: T) => string;
  /** Drawn into a cell that begins at 0, 0. */
  readonly draw: (item: T, width: number, height: number) => ComponentChildren;
}

const lineGap = 6;

export function Strip<T>({ items, label, ends, height, least, most, keyOf, titleOf, draw }: StripProps<T>) {
  const [element, width] = useWidth<HTMLDivElement>();
  const cell = Math.min(most, Math.max(least, width / Math.max(1, items.length)));
  const perLine = Math.max(1, Math.floor(width / cell + 1e-6));
  const lines = Math.ceil(items.length / perLine);
  const full = Math.max(0, lines * (height + lineGap) - lineGap);
  const drawn = Math.max(260, Math.min(items.length, perLine) * cell);
  return (
    <div ref={element} class="strip">
      {width === 0 ? null : (
        <svg width={width} height={full} role="img" aria-label={label}>
          <title>{label}</title>
          {items.map((item, index) => (
            <g
              key={keyOf(item)}
              transform={`translate(${((index % perLine) * cell).toFixed(2)} ${Math.floor(index / perLine) * (height + lineGap)})`}
            >
              <title>{titleOf(item)}</title>
              <rect width={cell} height={height} fill="transparent" />
              {draw(item, cell, height)}
            </g>
          ))}
        </svg>
      )}
      <p class="strip-ends small t" style={{ maxWidth: `${drawn}px` }}>
        <span>{ends[0]}</span>
        {items.length < 2 ? null : <span>{ends[1]}</span>}
      </p>
    </div>
  );
}
