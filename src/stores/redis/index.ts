export type { IoredisClient, NodeRedisClient, NodeRedisCluster, RedisClient } from "./client.ts";
export { type RedisLedgerOptions, redisLedger } from "./ledger.ts";
export type { Vouched } from "./server.ts";
