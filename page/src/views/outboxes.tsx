import type { Decided } from "../../../src/decisions/decided.ts";
import type { Metrics, OutboxMetrics } from "../../../src/observe/metrics.ts";
import { age } from "../format.ts";
import { isOverdue, isQueue } from "../outboxes.ts";
import { quiet, Section, Unknown } from "../parts.tsx";
import { windowOf } from "../series-plot.tsx";
import { valueIn } from "./answers.ts";

interface OutboxesProps {
  readonly declared: readonly Decided[];
  readonly metrics: Metrics | undefined;
  readonly at: number;
}

/** Messages that were committed with work, and how far they have come. */
export function Outboxes({ declared, metrics, at }: OutboxesProps) {
  if (declared.length === 0) return null;
  const sends = declared.some((outbox) => !isQueue(outbox));
  return (
    <Section class="note-section" title="Outboxes" aside={metrics === undefined ? undefined : windowOf(metrics)}>
      <div class="tw">
        <table>
          <caption class="vh">Outboxes</caption>
          <thead>
            <tr>
              <th scope="col">Outbox</th>
              <th scope="col" class="hide-s">
                To
              </th>
              <th scope="col" class={sends ? "r hide-s" : "r"}>
                Published
              </th>
              {sends ? (
                <>
                  <th scope="col" class="r">
                    Sent
                  </th>
                  <th scope="col" class="r hide-s" title="Attempts at sending, of one message or several">
                    Failed attempts
                  </th>
                </>
              ) : null}
              <th scope="col" class="r">
                Waiting
              </th>
              <th scope="col" class="r">
                Oldest
              </th>
            </tr>
          </thead>
          <tbody>
            {declared.map((outbox) => (
              <OutboxRow
                key={outbox.name}
                outbox={outbox}
                counted={metrics?.outboxes.find(({ name }) => name === outbox.name)}
                at={at}
                sends={sends}
              />
            ))}
          </tbody>
        </table>
      </div>
    </Section>
  );
}

interface OutboxRowProps {
  readonly outbox: Decided;
  readonly counted: OutboxMetrics | undefined;
  readonly at: number;
  /** Whether any of them sends. */
  readonly sends: boolean;
}

function OutboxRow({ outbox, counted, at, sends }: OutboxRowProps) {
  const to = valueIn(outbox.answers["to"]) ?? "";
  const { total, waiting = null, oldestAt = null } = counted ?? {};
  // nothing is sent of a queue: its messages are received where they lie
  const isSent = !isQueue(outbox);
  const late = isOverdue(outbox, oldestAt, at) ? " warn" : "";
  return (
    <tr>
      <td class="named">
        <span class="name m">{outbox.name}</span>
        <span class="sub only-s">{to}</span>
      </td>
      <td class={isSent ? "hide-s m" : "hide-s"}>{to}</td>
      <td class={sends ? "r n hide-s" : "r n"}>{total === undefined ? <Unknown /> : quiet(total.published)}</td>
      {sends ? (
        <>
          <td class="r n">{total === undefined ? <Unknown /> : isSent ? quiet(total.relayed) : none}</td>
          <td class={`r n hide-s${(total?.failed ?? 0) > 0 ? " warn" : ""}`}>
            {total === undefined ? <Unknown /> : isSent ? quiet(total.failed) : none}
          </td>
        </>
      ) : null}
      <td class={`r n${late}`}>{waiting === null ? <Unknown /> : quiet(waiting)}</td>
      <td class={`r n${late}`}>{waiting === null ? <Unknown /> : oldestAt === null ? none : age(at - oldestAt)}</td>
    </tr>
  );
}

const none = <span class="t">–</span>;
