import { expect } from "vitest";
import { declarationOf, type LoadStage, loadOn, manyRows, type WrongSituation } from "./load-stage.ts";

/** Refused for this reason alone, nothing written; then mended as it says. */
export async function isRefused(stage: LoadStage, situation: WrongSituation): Promise<void> {
  const { name, prepare, declaration, what, isMended, afterwards = [] } = situation;
  await stage.reset();
  await stage.stage(manyRows(12));
  // one of them fails on purpose, to leave an invalid index
  for (const statement of prepare)
    await stage.execute(statement).catch((error: unknown) => failsOnPurpose(statement, error));
  const load = await loadOn(stage, { ...declarationOf(stage), ...declaration });
  const before = what === "table-missing" ? "" : await stage.trace();

  const result = await load.run();
  expect(result, name).toMatchObject({ status: "refused", because: [expect.objectContaining({ what })] });
  if (result.status !== "refused") return;
  expect(before === "" ? "" : await stage.trace(), name).toBe(before);
  expect(await load.runs(), name).toEqual([]);
  expect(await load.preview(), name).toMatchObject({ status: "refused" });
  const [because] = result.because;
  if (because?.list !== null && because?.list !== undefined) await stage.execute(because.list);

  expect((because?.mend ?? []).length > 0, `${name} is mended by statements`).toBe(isMended);
  for (const statement of [...(because?.mend ?? []), ...afterwards]) await stage.execute(statement);
  if (isMended || afterwards.length > 0) expect(await load.run(), name).toMatchObject({ status: "done" });
}

function failsOnPurpose(statement: string, error: unknown): void {
  if (!statement.includes("concurrently")) throw error;
}
