import type { ConsumerRow } from "../../../src/admin/consumer-rows.ts";
import type { Decided } from "../../../src/decisions/decided.ts";
import type { ConsumerMetrics, Metrics } from "../../../src/observe/metrics.ts";
import type { ConsumerAnswer } from "../../../src/page/wire.ts";
import type { Administration } from "../administration.ts";
import { type Data, useJob, useLook } from "../data.ts";
import { inWords, plural, whole } from "../format.ts";
import { goes, quiet, Unknown, useNarrow } from "../parts.tsx";
import { link, type Route } from "../route.ts";
import { valueIn } from "./answers.ts";
import { JobFrame } from "./job-frame.tsx";
import { MessageDetail } from "./message-detail.tsx";
import { NothingDeclared } from "./nothing-declared.tsx";
import { Outboxes } from "./outboxes.tsx";

interface MessagesProps {
  readonly data: Data;
  readonly route: Route;
  readonly administration: Administration;
  readonly askUnlock: () => void;
}

const first = `const seats = reprise.consume(
  releaseSeat,
  rabbitmq({ connect, queue: "seat.released", deadLetter: "seat.released.dead" }),
  { deliveredWithin: "14d" },
);`;

export function Messages({ data, route, administration, askUnlock }: MessagesProps) {
  const narrow = useNarrow();
  const { decisions, consumers, metrics } = data;
  const declared = decisions?.decisions.filter(({ kind }) => kind === "consumer") ?? [];
  const outboxes = decisions?.decisions.filter(({ kind }) => kind === "outbox") ?? [];
  const [asked] = route.path;
  const chosen = asked ?? (narrow ? undefined : declared[0]?.name);
  const [answer, refused, replace] = useJob("consumer", chosen, "", data.connection === "live", isRunning);
  const lookAgain = useLook(declared.some(({ name }) => name === chosen) ? chosen : undefined, replace);
  const at = data.live?.at ?? consumers?.at ?? 0;
  const sent = <Outboxes declared={outboxes} metrics={metrics} at={at} />;
  if (declared.length === 0 && outboxes.length > 0) {
    return (
      <>
        <div class="head">
          <div>
            <h1>Messages are sent, and none is received here.</h1>
            <p class="lede">Each is committed with the work that it tells of.</p>
          </div>
        </div>
        {sent}
      </>
    );
  }
  if (declared.length === 0) {
    return (
      <NothingDeclared title="No consumer is declared." code={first}>
        A consumer runs an operation with the messages of a queue: each is acknowledged after its outcome is stored, and
        one that comes again is answered from the ledger.
      </NothingDeclared>
    );
  }
  const found = declared.find(({ name }) => name === chosen);
  const counted = metrics?.consumers.find(({ name }) => name === chosen);
  const detail = answer && (
    <MessageDetail
      {...{ answer, at, counted, metrics, route, administration, askUnlock, lookAgain, declared: found }}
      done={replace}
    />
  );
  return (
    <JobFrame view="messages" all="consumers" waiting="Messages" {...{ route, chosen, narrow, detail, refused }}>
      <Headline metrics={metrics} consumers={consumers?.consumers} declared={declared.length} />
      <ConsumerTable
        consumers={consumers?.consumers ?? []}
        {...{ declared, metrics, route }}
        selected={narrow ? undefined : chosen}
      />
      {sent}
    </JobFrame>
  );
}

const isRunning = ({ asked }: ConsumerAnswer): boolean => asked !== null && asked.ended === null;

interface HeadlineProps {
  readonly metrics: Metrics | undefined;
  readonly consumers: readonly ConsumerRow[] | undefined;
  readonly declared: number;
}

function Headline({ metrics, consumers = [], declared }: HeadlineProps) {
  const sum = (key: keyof ConsumerMetrics["total"]) =>
    (metrics?.consumers ?? []).reduce((total, one) => total + one.total[key], 0);
  const absorbed = sum("replayed");
  const received = sum("received");
  const aside = consumers.reduce((total, { setAside }) => total + (setAside ?? 0), 0);
  // works of one operation that two consumers feed are the same ones
  const parkedOf = new Map(consumers.map(({ operation, parked }) => [operation, parked.count]));
  const parked = [...parkedOf.values()].reduce((total, count) => total + count, 0);
  return (
    <div class="head">
      <div>
        <h1>
          {absorbed > 0
            ? `${whole(absorbed)} ${plural(absorbed, "redelivery", "redeliveries")} absorbed.`
            : received > 0
              ? `${whole(received)} ${plural(received, "message")} received, none came again.`
              : `${inWords(declared)} ${plural(declared, "consumer")}, no message in this range.`}
        </h1>
        <p class="lede">
          {received === 0
            ? ""
            : `Of ${whole(received)} received by ${inWords(declared).toLowerCase()} ${plural(declared, "consumer")} in the range shown, ${whole(sum("ran"))} ran. `}
          {aside === 0 && parked === 0 ? (
            "None waits for a person."
          ) : (
            <span class="warn">
              {[
                ...(aside === 0 ? [] : [`${whole(aside)} ${plural(aside, "is", "are")} set aside`]),
                ...(parked === 0 ? [] : [`${whole(parked)} ${plural(parked, "is", "are")} parked`]),
              ].join(", ")}
              .
            </span>
          )}
        </p>
      </div>
    </div>
  );
}

interface ConsumerTableProps {
  readonly declared: readonly Decided[];
  readonly consumers: readonly ConsumerRow[];
  readonly metrics: Metrics | undefined;
  readonly selected: string | undefined;
  readonly route: Route;
}

function ConsumerTable({ declared, consumers, metrics, selected, route }: ConsumerTableProps) {
  const numbers = ["Received", "Ran"] as const;
  return (
    <div class="tw">
      <table>
        <caption class="vh">Consumers</caption>
        <thead>
          <tr>
            <th scope="col">Source</th>
            <th scope="col" class="hide-s">
              Operation
            </th>
            <th scope="col" class="hide-s">
              Owner
            </th>
            {numbers.map((name) => (
              <th scope="col" class="r hide-s" key={name}>
                {name}
              </th>
            ))}
            <th scope="col" class="r">
              Absorbed
            </th>
            <th scope="col" class="r">
              Waiting
            </th>
            <th scope="col" class="r">
              Set aside
            </th>
            <th scope="col" class="r hide-s">
              Parked
            </th>
          </tr>
        </thead>
        <tbody>
          {declared.map(({ name, owner, answers }) => {
            const found = consumers.find((consumer) => consumer.name === name);
            const total = metrics?.consumers.find((one) => one.name === name)?.total;
            const operation = valueIn(answers["operation"]) ?? "";
            return (
              <tr key={name} {...goes(link(route, "messages", [name]))} aria-selected={name === selected}>
                <td class="named">
                  <span class="name m">{name}</span>
                  <span class="sub only-s">{operation}</span>
                </td>
                <td class="hide-s m">{operation}</td>
                <td class="hide-s">{owner ?? <span class="warn">nobody</span>}</td>
                <Count value={total?.received} wide />
                <Count value={total?.ran} wide />
                <Count value={total?.replayed} />
                <Count value={found?.waiting ?? undefined} />
                <Count value={found?.setAside ?? undefined} warns />
                <Count value={found?.parked.count} warns wide />
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}

interface CountProps {
  readonly value: number | undefined;
  readonly warns?: boolean;
  /** Only where there is room. */
  readonly wide?: boolean;
}

function Count({ value, warns = false, wide = false }: CountProps) {
  const tone = warns && (value ?? 0) > 0 ? " warn" : "";
  return <td class={`r n${wide ? " hide-s" : ""}${tone}`}>{value === undefined ? <Unknown /> : quiet(value)}</td>;
}
