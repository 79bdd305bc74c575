import { useState } from "preact/hooks";
import type { MeasuredCurve, WorkingSet } from "../../../src/page/working-set.ts";
import { useWorkingSet } from "../data.ts";
import { age, bytes, dollars, percent, plural, rate, tick, whole } from "../format.ts";
import type { PlotPoint } from "../pane.tsx";
import { Section, useNarrow } from "../parts.tsx";
import { Plot } from "../plot.tsx";
import { sizes } from "../scales.ts";
import type { Theme } from "../theme.ts";

interface SizeSectionProps {
  readonly cache: string;
  readonly alive: boolean;
  readonly theme: Theme;
}

/** Whether memory has the size that the reads ask for, of this cache or of all that share it. */
export function SizeSection({ cache, alive, theme }: SizeSectionProps) {
  const [all, setAll] = useState(false);
  const told = useWorkingSet(all ? undefined : cache, alive);
  const choose = (
    <fieldset class="seg">
      <legend class="vh">Which reads</legend>
      {[false, true].map((one) => (
        <button key={String(one)} type="button" aria-pressed={one === all} onClick={() => setAll(one)}>
          {one ? "All caches" : "This cache"}
        </button>
      ))}
    </fieldset>
  );
  return (
    <Section class="c7" title={titleOf(told)} aside={told === undefined ? undefined : asideOf(told)}>
      {choose}
      {told === undefined ? <p class="s">Reading the curve.</p> : <Size told={told} theme={theme} />}
    </Section>
  );
}

function titleOf(told: WorkingSet | undefined): string {
  const curve = told?.curve;
  if (told === undefined || curve === undefined) return "Size";
  if (curve === null) return "Size: nobody watches";
  const { recommended, here } = curve;
  if (recommended === null) return "Size: too few reads yet";
  if (here.missRatio <= recommended.missRatio + 0.005) return "Size: right, by the working set";
  return isRoomy(told) ? "Size: room to spare" : "Size: too small, by the working set";
}

/** A larger bound would change nothing: what there is does not fill this one. */
const isRoomy = ({ bound }: WorkingSet) => bound.held < 0.9 * bound.most;

const asideOf = ({ curve, instance }: WorkingSet) =>
  curve === null
    ? instance
    : `${instance}, at most the last ${age(curve.windowMs)}; ${whole(curve.reads)} reads of about ${whole(curve.keys)} keys`;

interface SizeProps {
  readonly told: WorkingSet;
  readonly theme: Theme;
}

function Size({ told, theme }: SizeProps) {
  const { curve } = told;
  if (curve === null) {
    return (
      <p class="s">
        Nobody watches which keys are read again: <code>memory.workingSet</code> is off. Switch it on to learn how large
        memory ought to be; it costs some hundred kilobytes.
      </p>
    );
  }
  if (curve.recommended === null) {
    return (
      <p class="s">
        Too few reads yet: {whole(curve.reads)} of {whole(curve.readsNeeded)}. Until then most reads are a key's first,
        which memory of no size answers.
      </p>
    );
  }
  return (
    <div class="size">
      <MissRatioCurve told={told} curve={curve} theme={theme} />
      <Bill told={told} curve={curve} />
    </div>
  );
}

type Point = MeasuredCurve["here"];

/** In what memory is bounded in, where the weight of entries is known. */
function unitOf({ bound }: WorkingSet, { points }: MeasuredCurve) {
  const inBytes = bound.unit === "bytes" && (points.at(-1)?.bytes ?? 0) > 0;
  const sizeOf = (point: Point) => (inBytes ? point.bytes : point.entries);
  const write = (size: number) =>
    inBytes ? bytes(size) : `${whole(size)} ${plural(Math.round(size), "entry", "entries")}`;
  return { inBytes, sizeOf, write };
}

interface CurveProps {
  readonly told: WorkingSet;
  readonly curve: MeasuredCurve;
}

function MissRatioCurve({ told, curve, theme }: CurveProps & { readonly theme: Theme }) {
  const narrow = useNarrow();
  const { inBytes, sizeOf, write } = unitOf(told, curve);
  const shown = curve.points.filter((point) => sizeOf(point) > 0);
  const { here, knee, recommended } = curve;
  const ends = [...shown.map(sizeOf), sizeOf(here)].filter((size) => size > 0);
  const [smallest, largest] = [Math.min(...ends), Math.max(...ends)];
  const place = (size: number) => Math.log10(Math.max(size, smallest));
  const point = (what: string, of: Point, hollow: boolean): PlotPoint => ({
    at: place(sizeOf(of)),
    value: of.missRatio * 100,
    label: `${what}: ${write(sizeOf(of))}, ${percent(of.missRatio)}`,
    hollow,
  });
  const same = (a: Point, b: Point) => Math.abs(place(sizeOf(a)) - place(sizeOf(b))) < 0.02;
  const points = [
    point("you are here", here, false),
    ...(recommended === null || same(recommended, here) ? [] : [point("recommended", recommended, true)]),
    ...(knee === null || same(knee, here) || (recommended !== null && same(knee, recommended))
      ? []
      : [point("knee", knee, true)]),
  ];
  // beyond its last point a curve goes on as it is
  const beyond = sizeOf(here) > sizeOf(shown.at(-1) ?? here) ? [here] : [];
  const drawn = [...shown, ...beyond];
  const min = Math.log10(smallest);
  return (
    <Plot
      id="curve"
      label="Share of reads that memory of a size would not have answered"
      theme={theme}
      x={drawn.map((one) => Math.log10(sizeOf(one)))}
      min={min}
      max={Math.max(min + 0.3, Math.log10(largest) + 0.02)}
      ticks={sizes(smallest, largest, inBytes ? 4 : 10, narrow ? 4 : 7, inBytes ? bytes : whole)}
      marks={[]}
      xName={inBytes ? "Bytes" : "Entries"}
      formatX={(x) => write(10 ** x)}
      panes={[
        {
          title: "Misses, by size of memory",
          titled: true,
          height: 150,
          scale: "linear",
          ...{ min: 0, max: 100, ticks: [0, 25, 50, 75, 100] },
          format: (value) => percent(value / 100),
          tick: (value) => `${tick(value)}%`,
          layers: [
            {
              name: "misses",
              kind: "line",
              values: drawn.map(({ missRatio }) => missRatio * 100),
              fill: "shared",
              edge: "shared-e",
            },
          ],
          points,
        },
      ]}
    >
      {inBytes ? "Bytes" : "Entries"} on a logarithmic axis, from a sample of the keys. What memory of that size, kept
      by least recent use, would not have had; expiry and changes cost loads beside these.
    </Plot>
  );
}

function Bill({ told, curve }: CurveProps) {
  const { bill, here, recommended, wanted } = curve;
  if (bill === null || recommended === null || bill.now === null) return null;
  const { sizeOf, write } = unitOf(told, curve);
  const { now, then, prices } = bill;
  const cheapest = write(sizeOf(recommended));
  const isSame = Math.abs(bill.saving ?? 0) < 0.005;
  const rows = [
    ["Memory", now.memory, then.memory],
    ["Fetching what was not there", now.misses, then.misses],
    ["Crossing zones", now.crossZone, then.crossZone],
  ] as const;
  return (
    <div class="bill">
      <p>
        It holds <b>{write(sizeOf(here))}</b>, enough for {percent(1 - here.missRatio)} of reads.{" "}
        {wanted === null
          ? `No memory answers 95%: too many reads are a key's first. From the knee on, ${cheapest} is the cheapest.`
          : wanted.entries === recommended.entries
            ? `${cheapest} would do for 95%, and is the cheapest that does.`
            : `${write(sizeOf(wanted))} would do for 95%; from there on, ${cheapest} is the cheapest.`}
        {isRoomy(told)
          ? ` The bound is not what limits it: ${told.bound.unit === "bytes" ? bytes(told.bound.held) : whole(told.bound.held)} of ${told.bound.unit === "bytes" ? bytes(told.bound.most) : `${whole(told.bound.most)} entries`} are used.`
          : ""}
      </p>
      <table>
        <caption class="vh">What the two sizes cost a month</caption>
        <thead>
          <tr>
            <th scope="col">A month, this process</th>
            <th scope="col" class="r">
              Here
            </th>
            <th scope="col" class="r">
              At {write(sizeOf(recommended))}
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.map(([what, before, after]) => (
            <tr key={what}>
              <td class="wrap">{what}</td>
              <td class="r">{dollars(before)}</td>
              <td class="r">{dollars(after)}</td>
            </tr>
          ))}
          <tr>
            <td>
              <b>All</b>
            </td>
            <td class="r">
              <b>{dollars(now.total)}</b>
            </td>
            <td class="r">
              <b>{dollars(then.total)}</b>
            </td>
          </tr>
        </tbody>
      </table>
      <p class="small t">
        <b>{isSame ? "Both cost the same: nothing to change." : bill.sentence}</b> At {rate(bill.readsPerSecond)}{" "}
        reads/s and {bytes(bill.entryBytes)} an entry
        {bill.weighed ? "" : ", which nobody has weighed"}; {dollars(prices.gbMonth)} a GB-month,{" "}
        {dollars(prices.millionMisses)} a million misses, {dollars(prices.crossZoneGb)} a GB across zones,{" "}
        {dollars(prices.personHour)} an hour of a person. <code>npx reprise working-set</code> takes other prices.
      </p>
    </div>
  );
}
