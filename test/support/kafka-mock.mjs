import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

/** A cluster that librdkafka simulates, in a process of its own; `undefined`: there is no librdkafka, or nothing to compile with. */
export async function startKafkaMock() {
  const directory = mkdtempSync(join(tmpdir(), "reprise-kafka-"));
  const program = join(directory, "mock");
  const source = fileURLToPath(new URL("kafka-mock.c", import.meta.url));
  const remove = () => rmSync(directory, { recursive: true, force: true });
  try {
    execFileSync("gcc", [source, "-o", program, "-lrdkafka"], { stdio: "ignore", timeout: 60_000 });
  } catch {
    remove();
    return undefined;
  }
  const mock = spawn(program, { stdio: ["pipe", "pipe", "ignore"] });
  const gone = once(mock, "exit");
  const lines = createInterface({ input: mock.stdout })[Symbol.asyncIterator]();
  const { value: brokers } = await lines.next();
  let creating = Promise.resolve();
  return {
    brokers,
    create: async (topic, partitions) => {
      mock.stdin.write(`${topic} ${partitions}\n`);
      creating = creating.then(() => lines.next());
      await creating;
    },
    stop: async () => {
      mock.stdin.end();
      await gone;
      remove();
    },
  };
}
