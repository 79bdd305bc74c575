import { Queue, Worker } from "bullmq";
import { Redis } from "ioredis";
import { bullmq } from "reprise/bullmq";

const redis = process.env.REDIS_URL ?? "redis://127.0.0.1:6379";
const blocking = async () => new Redis(redis, { maxRetriesPerRequest: null });

export const onBullmq = {
  source: (name) => bullmq({ Worker, Queue, connect: blocking, queue: name, lock: "2s" }),
  async create(name) {
    const connection = await blocking();
    const queue = new Queue(name, { connection });
    const count = async (...states) =>
      Object.values(await queue.getJobCounts(...states)).reduce((sum, n) => sum + n, 0);
    return {
      send: async (bodies) => {
        await queue.addBulk(bodies.map((body) => ({ name: "book", data: JSON.parse(body) })));
      },
      left: () => count("wait", "active", "delayed"),
      setAside: () => count("failed"),
      drop: async () => {
        await queue.obliterate({ force: true });
        await queue.close();
        connection.disconnect();
      },
    };
  },
  async receive(name, most, handle) {
    const connection = await blocking();
    const options = {
      connection,
      concurrency: most,
      lockDuration: 2_000,
      stalledInterval: 1_000,
      maxStalledCount: 1_000,
    };
    new Worker(name, (job) => handle(JSON.stringify(job.data)), options);
  },
};
