import { expect, test, vi } from "vitest";
import { kafka } from "../../src/sources/kafka/index.ts";
import { rabbitmq } from "../../src/sources/rabbitmq/index.ts";
import { redisStreams } from "../../src/sources/redis-streams/index.ts";
import { sqs } from "../../src/sources/sqs/index.ts";
import { stand } from "./consume-stand.ts";

const connect = () => Promise.reject(new Error("it connects before it has checked"));

test("a source that would receive what it sets aside is refused when it is made", () => {
  for (const make of [
    () => rabbitmq({ connect, queue: "seats", deadLetter: "seats" }),
    () => redisStreams({ connect, stream: "seats", group: "book", deadLetter: "seats" }),
    () => sqs({ client: {} as never, queueUrl: "https://sqs/1/seats", deadLetterUrl: "https://sqs/1/seats" }),
    () => kafka({ kafka: {} as never, topic: "seats", group: "book", deadLetter: "seats" }),
  ]) {
    expect(make).toThrow(expect.objectContaining({ code: "REPRISE_BAD_DECLARATION" }));
  }
});

test("the warning of a broker that cannot be received from names the code of its error, be it a number", async () => {
  const warned = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
  const missing = Object.assign(new Error("no queue"), { code: 404 });
  const { instance } = stand({ through: (source) => ({ ...source, open: () => Promise.reject(missing) }) });
  const { reprise } = instance("a");
  await reprise.start();
  await expect
    .poll(() => warned.mock.calls.map(([text]) => String(text)))
    .toContainEqual(expect.stringContaining("(Error 404)"));
  await reprise.close();
  warned.mockRestore();
});
