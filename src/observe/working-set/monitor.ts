/** A command that a Redis server was sent, as MONITOR tells it. */
export interface MonitorLine {
  /** Seconds since the epoch. */
  readonly at: number;
  readonly database: string;
  readonly command: readonly string[];
}

const head = /^(\d+\.\d+) \[(\d+) [^\]]*(?:\][^ "]*)?\] "/;
const escapes: Readonly<Record<string, string>> = { n: "\n", r: "\r", t: "\t", a: "\x07", b: "\b" };

export function isMonitorLine(line: string): boolean {
  return head.test(line);
}

/**
 * Reads a line such as `1339518083.107412 [0 127.0.0.1:60866] "get" "say \"hi\""`; `undefined` where it is none, such as
 * the `OK` that MONITOR begins with. Bytes that are no text (`\xff`) become characters of the same number.
 */
export function parseMonitorLine(line: string): MonitorLine | undefined {
  const found = head.exec(line);
  if (found === null) return undefined;
  const command: string[] = [];
  let at = found[0].length - 1;
  while (at < line.length) {
    const argument = readQuoted(line, at);
    if (argument === undefined) return undefined;
    command.push(argument.text);
    at = argument.end + 1;
  }
  return { at: Number(found[1]), database: found[2] as string, command };
}

/** From its opening quote on; `end`: behind the closing one, where a blank or the end of the line must follow. */
function readQuoted(line: string, start: number): { readonly text: string; readonly end: number } | undefined {
  if (line[start] !== '"') return undefined;
  let text = "";
  for (let at = start + 1; at < line.length; at += 1) {
    const character = line[at] as string;
    if (character === '"') {
      const end = at + 1;
      return end === line.length || line[end] === " " ? { text, end } : undefined;
    }
    if (character !== "\\") {
      text += character;
      continue;
    }
    at += 1;
    const escaped = line[at];
    const digits = line.slice(at + 1, at + 3);
    if (escaped === "x" && /^[0-9a-f]{2}$/i.test(digits)) {
      text += String.fromCharCode(Number.parseInt(digits, 16));
      at += 2;
    } else if (escaped !== undefined) text += escapes[escaped] ?? escaped;
  }
  return undefined;
}

/** Commands that read one key, the first argument. What writes as it reads (GETSET, INCR) is no read that a cache answers. */
const readsFirst = new Set(
  `get getex getrange substr strlen getbit bitcount bitpos hget hmget hgetall hexists hkeys hvals hlen hstrlen hscan
  lrange lindex llen lpos smembers sismember smismember scard srandmember sscan zrange zrangebyscore zrangebylex zrevrange
  zrevrangebyscore zrevrangebylex zscore zmscore zrank zrevrank zcard zcount zlexcount zrandmember zscan geopos geodist
  geohash geosearch xrange xrevrange xlen type json.get json.type dump`.split(/\s+/),
);
/** Commands of which every argument is a key. */
const readsAll = new Set(["mget", "exists", "sinter", "sunion", "sdiff", "pfcount"]);

/** The keys that a command reads; none if it does not read. */
export function keysRead([name = "", ...rest]: readonly string[]): readonly string[] {
  const command = name.toLowerCase();
  if (readsFirst.has(command)) return rest.slice(0, 1);
  if (readsAll.has(command)) return rest;
  return command === "json.mget" ? rest.slice(0, -1) : [];
}
