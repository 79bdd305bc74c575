import type { LoadRefusal } from "../../../src/load/refusal.ts";
import type { JobEnd } from "../../../src/page/wire.ts";
import { age, milliseconds, plural, whole } from "../format.ts";
import { inZone, markOf, tickWords } from "../tick-strip.tsx";
import { countWords } from "../window-strip.tsx";

/** How it came out, in a sentence with its numbers. */
export function ActEnd({ end, timeZone }: { readonly end: JobEnd; readonly timeZone: string | null }) {
  switch (end.is) {
    case "load-ran": {
      const { result } = end;
      if (result.status === "refused") return <Refusals because={result.because} />;
      if (result.status === "running") {
        return (
          <p>
            Running at {result.holder ?? "another process"}: nothing was run here.
            {result.forMs === null ? "" : ` Its lease ends in ${age(result.forMs)} unless it is renewed.`}
          </p>
        );
      }
      const { of, skipped } = result.windows;
      return (
        <p>
          Done, {result.run}: {whole(of)} {plural(of, "window")}
          {skipped === 0 ? "" : `, ${whole(skipped)} of them by an earlier call`}. {countWords(result)}.
        </p>
      );
    }
    case "load-previewed": {
      const { preview } = end;
      if (preview.status === "refused") return <Refusals because={preview.because} />;
      return <p>A run would do this, as things stood then: {countWords(preview)}. Nothing was written.</p>;
    }
    case "load-compared": {
      const { reconciliation: told } = end;
      if (told.status === "refused") return <Refusals because={told.because} />;
      if (told.equal) return <p>Equal: the table holds what the source holds.</p>;
      const parts = [
        [told.missing, "missing in the table"],
        [told.differing, "with other content"],
        [told.older, "newer in the table"],
        [told.extra, "that the source lacks"],
      ] as const;
      return (
        <p>
          <span class="warn">It differs</span> in{" "}
          {parts
            .filter(([count]) => count > 0)
            .map(([count, words]) => `${whole(count)} ${words}`)
            .join(", ")}
          . Which: <code>npx reprise load reconcile</code>.
        </p>
      );
    }
    case "tick-ran": {
      const { tick } = end;
      const took = tick.startedAt === null ? "" : ` in ${milliseconds(tick.endedAt - tick.startedAt)}`;
      return (
        <p>
          {inZone(tick.at, timeZone)}: {tickWords[markOf(tick)]}
          {took}.{tick.why === null ? "" : ` ${tick.why}.`}
        </p>
      );
    }
    case "tick-held":
      return <p>A tick runs at {end.holder ?? "another process"} at this moment: nothing was run here.</p>;
    case "paused":
      return <p>{end.changed ? "Paused." : "It was paused already."}</p>;
    case "resumed":
      return <p>{end.changed ? "Resumed." : "It was not paused."}</p>;
    case "redriven":
    case "discarded": {
      const { done, gone, more } = end.counts;
      return (
        <p>
          {done === 0 ? "None" : whole(done)} {end.is === "redriven" ? "sent again" : "removed for good"}.
          {gone === 0 ? "" : ` ${whole(gone)} ${plural(gone, "was", "were")} not there any more.`}
          {more ? " There are others still: the same again goes on with them." : ""}
        </p>
      );
    }
    case "failed":
      return <p class="bad">{end.why}</p>;
  }
}

export function Refusals({ because }: { readonly because: readonly LoadRefusal[] }) {
  return (
    <>
      <p>
        <span class="warn">Refused</span>: nothing was written.
      </p>
      {because.map(({ why, list, mend }) => (
        <div key={why} class="refusal">
          <p>{why}</p>
          {list === null ? null : (
            <>
              <p class="small t">The rows in question</p>
              <pre class="m">{list};</pre>
            </>
          )}
          {mend.length === 0 ? null : (
            <>
              <p class="small t">What mends it{mend.length === 1 ? "" : ", one by one and in order"}</p>
              <pre class="m">{mend.map((statement) => `${statement};`).join("\n")}</pre>
            </>
          )}
        </div>
      ))}
    </>
  );
}
