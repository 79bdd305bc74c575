export interface KafkaMock {
  /** Where it listens. */
  readonly brokers: string;
  /** Makes a topic, for the cluster takes no request for that. */
  readonly create: (topic: string, partitions: number) => Promise<void>;
  readonly stop: () => Promise<void>;
}

/** A cluster that librdkafka simulates, in a process of its own; `undefined`: there is no librdkafka, or nothing to compile with. */
export function startKafkaMock(): Promise<KafkaMock | undefined>;
