import assert from "node:assert/strict";
import type { WriteJournal } from "../contract/write-journal.ts";
import { append, applied, type Claimed, claim, pastLeaseMs, queue, range } from "./write-journal-kit.ts";
import type { WriteJournalStage, WriteScenario } from "./write-journal-suite.ts";

/** Concurrent calls that count winners; `several`: over two instances of one store. */
function races(several: boolean): readonly WriteScenario[] {
  const needs = several ? (["severalInstances"] as const) : ([] as const);
  const where = several ? "two instances" : "one instance";
  const instances = async (stage: WriteJournalStage): Promise<readonly WriteJournal[]> =>
    several ? [stage.writes, await stage.another()] : [stage.writes];
  const pick = (journals: readonly WriteJournal[], index: number): WriteJournal => {
    const journal = journals[index % journals.length];
    assert.ok(journal !== undefined);
    return journal;
  };

  /** What another is claiming at that moment may be passed over: whoever still gets any asks again. */
  const claimAll = async (journal: WriteJournal, limit: number): Promise<readonly Claimed[]> => {
    const claimed = await claim(journal, limit);
    return claimed.writes.length === 0 ? [] : [claimed, ...(await claimAll(journal, limit))];
  };

  return [
    {
      name: `twenty claims of 200 writes take each exactly once (${where})`,
      needs,
      run: async (stage) => {
        const journals = await instances(stage);
        await append(stage.writes, ...range(200).map((i) => [`k${i}`, "1"] as const));
        const claims = await Promise.all(range(20).map((i) => claimAll(pick(journals, i), 15)));
        const keys = claims.flat().flatMap(({ writes }) => writes.map(({ key }) => key));
        assert.equal(keys.length, 200);
        assert.equal(new Set(keys).size, 200);
      },
    },
    {
      name: `an owner and the ones that take over end each write exactly once (${where})`,
      needs,
      run: async (stage) => {
        const journals = await instances(stage);
        await append(stage.writes, ...range(100).map((i) => [`k${i}`, "1"] as const));
        const zombie = await claim(pick(journals, 0));
        await stage.passTime(pastLeaseMs);
        const takenOver = await Promise.all(range(4).map((i) => claimAll(pick(journals, i + 1), 40)));
        const end = (owner: Claimed, i: number) =>
          applied(pick(journals, i), owner, ...owner.writes.map(({ key }) => key));
        const [late, ...ends] = await Promise.all([zombie, ...takenOver.flat()].map(end));
        assert.equal(late, 0);
        assert.equal(
          ends.reduce((sum, ended) => sum + ended, 0),
          100,
        );
        assert.equal((await stage.writes.standing(queue)).pending, 0);
      },
    },
    {
      name: `of writes of one key at once each gets a version of its own, and the greatest is pending (${where})`,
      needs,
      run: async (stage) => {
        const journals = await instances(stage);
        const told = await Promise.all(
          range(40).map(async (i) => {
            const [version] = await append(pick(journals, i), ["a", `value ${i}`]);
            return { version: version ?? 0, value: `value ${i}` };
          }),
        );
        assert.equal(new Set(told.map(({ version }) => version)).size, 40);
        const newest = told.reduce((a, b) => (a.version > b.version ? a : b));
        assert.deepEqual(await stage.writes.pending(queue, "a"), newest);
      },
    },
    {
      name: `writers and senders at once lose no key, and no value arrives after a newer one (${where})`,
      needs,
      run: async (stage) => {
        const journals = await instances(stage);
        const arrived = new Map<string, number>();
        const written = new Map<string, number>();
        const write = async (i: number) => {
          const key = `k${i % 10}`;
          const [version] = await append(pick(journals, i), [key, "v"]);
          written.set(key, Math.max(written.get(key) ?? 0, version ?? 0));
        };
        const send = async (i: number) => {
          const owner = await claim(pick(journals, i), 5);
          for (const { key, version } of owner.writes) {
            assert.ok(version > (arrived.get(key) ?? 0), `${key} arrived twice, or an older one after a newer one`);
            arrived.set(key, version);
          }
          await applied(pick(journals, i), owner, ...owner.writes.map(({ key }) => key));
        };
        await Promise.all(range(100).map((i) => (i % 2 === 0 ? write(i / 2) : send(i))));
        while ((await stage.writes.standing(queue)).pending > 0) await send(0);
        assert.deepEqual(new Map([...arrived].toSorted()), new Map([...written].toSorted()));
      },
    },
    {
      name: `writers that fill a queue leave exactly as many as it holds (${where})`,
      needs,
      run: async (stage) => {
        const journals = await instances(stage);
        const answers = await Promise.all(
          range(50).map((i) =>
            pick(journals, i).append({ queue, most: 20, writes: [{ key: `k${i}`, scope: "{}", value: "v" }] }),
          ),
        );
        assert.equal(answers.filter(({ versions: [version] }) => version !== null).length, 20);
        assert.equal((await stage.writes.standing(queue)).pending, 20);
      },
    },
  ];
}

export const raceScenarios: readonly WriteScenario[] = [...races(false), ...races(true)];
