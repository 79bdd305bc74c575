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
  return (
    <Section class="note" title="Outboxes" aside={metrics === undefined ? undefined : windowOf(metrics)}>
      <div class="tw">
        <table>
          <caption class="vh">Outboxes</caption>
          <thead>
            <tr>
              <th scope="col">Outbox</th>
              <th scope="col" class="hide-s">
                To
              </th>
              <th scope="col" class="r hide-s">
                Published
              </th>
              <th scope="col" class="r">
                Sent
              </th>
              <th scope="col" class="r hide-s" title="Attempts at sending, of one message or several">
                Failed attempts
              </th>
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
}

function OutboxRow({ outbox, counted, at }: OutboxRowProps) {
  const to = valueIn(outbox.answers["to"]) ?? "";
  const { total, waiting = null, oldestAt = null } = counted ?? {};
  // nothing is sent of a queue: its messages are received where they lie
  const sends = !isQueue(outbox);
  const late = isOverdue(outbox, oldestAt, at) ? " warn" : "";
  return (
    <tr>
      <td class="named">
        <span class="name m">{outbox.name}</span>
        <span class="sub only-s">{to}</span>
      </td>
      <td class={sends ? "hide-s m" : "hide-s"}>{to}</td>
      <td class="r n hide-s">{total === undefined ? <Unknown /> : quiet(total.published)}</td>
      <td class="r n">{total === undefined ? <Unknown /> : sends ? quiet(total.relayed) : none}</td>
      <td class={`r n hide-s${(total?.failed ?? 0) > 0 ? " warn" : ""}`}>
        {total === undefined ? <Unknown /> : sends ? quiet(total.failed) : none}
      </td>
      <td class={`r n${late}`}>{waiting === null ? <Unknown /> : quiet(waiting)}</td>
      <td class={`r n${late}`}>{waiting === null ? <Unknown /> : oldestAt === null ? none : age(at - oldestAt)}</td>
    </tr>
  );
}

const none = <span class="t">–</span>;
