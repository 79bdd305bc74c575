import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";

/**
 * What this machine offers to the tests. A suite that must leave tests out says why with a note,
 * `context.skip("…")`, which the closing lines of a run repeat.
 */

/** Begins the note of a test that this machine, or this version of Node, can never run; any other fails in CI. */
export const cannotRunHere = "cannot run here: ";
/** Begins the note of a case that an adapter has nothing to show in, such as several instances of what has one. */
export const doesNotApply = "does not apply: ";

/** The SQLite driver that `sqliteLedger` takes on this version of Node. */
export function sqliteDriver(): string {
  const builtin = process.getBuiltinModule("node:sqlite");
  if (builtin !== undefined) {
    const database = new builtin.DatabaseSync(":memory:");
    const row = database.prepare("select sqlite_version() as version").get();
    database.close();
    return `node:sqlite (SQLite ${row?.["version"]})`;
  }
  const path = new URL("../../node_modules/libsql/package.json", import.meta.url);
  if (!existsSync(path)) return "none: node:sqlite is absent and libsql is not installed";
  return `libsql ${(JSON.parse(readFileSync(path, "utf8")) as { readonly version: string }).version}`;
}

/** The Redis that tests start for themselves. */
function redisServer(): string {
  try {
    const told = execFileSync("redis-server", ["--version"], { encoding: "utf8", timeout: 10_000 });
    return /v=(\S+)/.exec(told)?.[1] ?? "does not tell its version";
  } catch {
    return "not found (Debian: apt-get install redis-server)";
  }
}

/** What PostgreSQL calls itself; `undefined`: there is no client to ask with, or nobody answers. */
export function postgresServer(): string | undefined {
  const url = process.env["POSTGRES_URL"] ?? "postgres://postgres@127.0.0.1:5432/test";
  const program = `const { Client } = require("pg");
    const client = new Client({ connectionString: process.argv[1], connectionTimeoutMillis: 3000 });
    client.connect().then(() => client.query("show server_version")).then(({ rows }) => {
      process.stdout.write(rows[0].server_version);
      return client.end();
    }, () => process.exit(1));`;
  try {
    return execFileSync(process.execPath, ["-e", program, url], {
      encoding: "utf8",
      timeout: 10_000,
      cwd: new URL("../..", import.meta.url),
      stdio: ["ignore", "pipe", "ignore"],
    });
  } catch {
    return undefined;
  }
}

/** The browser that the page's tests drive: `CHROMIUM`, or what the system has. `undefined`: none. */
export function chromium(): string | undefined {
  const candidates = [
    process.env["CHROMIUM"],
    "/usr/bin/chromium",
    "/usr/bin/chromium-browser",
    "/usr/bin/google-chrome",
  ];
  return candidates.find((path) => path !== undefined && existsSync(path));
}

/** What a server says of itself to whoever connects, before anybody logs in; "": none answers. */
function greetingOf(server: string, take: string, say = ""): string {
  const [host = "127.0.0.1", port = ""] = server.split(":");
  const program = `
    const socket = require("node:net").connect(${Number(port)}, ${JSON.stringify(host)});
    socket.setTimeout(2000, () => socket.destroy());
    socket.write(${JSON.stringify(say)}, "latin1");
    socket.once("data", (greeting) => {
      process.stdout.write(String(${take}));
      socket.destroy();
    });
    socket.on("error", () => {});`;
  return execFileSync(process.execPath, ["-e", program], { encoding: "utf8", timeout: 10_000 }).trim();
}

/** What listens where the tests look for MariaDB. */
export function mariadb(): string {
  const server = `${process.env["MYSQL_HOST"] ?? "127.0.0.1"}:${process.env["MYSQL_PORT"] ?? 3306}`;
  const told = greetingOf(server, "greeting.subarray(5, greeting.indexOf(0, 5))");
  return told === "" ? "does not answer (Debian: apt-get install mariadb-server)" : told.replace(/^5\.5\.5-/, "");
}

function rabbitmq(): string {
  const { host } = new URL(process.env["RABBITMQ_URL"] ?? "amqp://127.0.0.1:5672");
  const version = '/version\\x53[^]{4}([\\d.]+)/.exec(greeting.toString("latin1"))?.[1]';
  const told = greetingOf(host, version, "AMQP\0\0\t\x01");
  return told === "" ? "does not answer (Debian: apt-get install rabbitmq-server, or set RABBITMQ_URL)" : told;
}

function nats(): string {
  const server = process.env["NATS_SERVER"] ?? "127.0.0.1:4222";
  const told = greetingOf(server, "JSON.parse(greeting.toString().slice(5)).version");
  return told === "" ? "does not answer (Debian: apt-get install nats-server, started with -js)" : told;
}

/** An emulator that tests start for themselves, as a package. */
function emulator(name: "azurite" | "dynalite" | "fauxqs"): string {
  const path = new URL(`../../node_modules/${name}/package.json`, import.meta.url);
  if (!existsSync(path)) return "not installed (npm install)";
  return (JSON.parse(readFileSync(path, "utf8")) as { readonly version: string }).version;
}

/** What simulates Kafka, compiled by the tests; `undefined`: it is not here, or nothing to compile with. */
export function librdkafka(): string | undefined {
  const program = "#include <librdkafka/rdkafka.h>\n#include <librdkafka/rdkafka_mock.h>\n";
  try {
    const read = execFileSync("gcc", ["-E", "-dM", "-xc", "-"], { input: program, encoding: "utf8", timeout: 10_000 });
    const version = /#define RD_KAFKA_VERSION 0x(..)(..)(..)/.exec(read)?.slice(1);
    return version?.map((part) => Number.parseInt(part, 16)).join(".");
  } catch {
    return undefined;
  }
}

export function describeEnvironment(): readonly string[] {
  const browser = chromium();
  const simulated = librdkafka();
  return [
    `node: ${process.version}`,
    `sqlite driver: ${sqliteDriver()}`,
    `redis server: ${redisServer()}`,
    `postgresql: ${postgresServer() ?? "nobody answers (Debian: apt-get install postgresql, or set POSTGRES_URL)"}`,
    `mariadb: ${mariadb()}`,
    `rabbitmq: ${rabbitmq()}`,
    `nats: ${nats()}`,
    `azurite: ${emulator("azurite")}`,
    `sqs: emulated by fauxqs ${emulator("fauxqs")}`,
    `kafka: ${simulated === undefined ? "not simulated (Debian: apt-get install gcc librdkafka-dev)" : `simulated by librdkafka ${simulated}`}`,
    `dynamodb: emulated by dynalite ${emulator("dynalite")}`,
    `chromium: ${browser === undefined ? "not found (Debian: apt-get install chromium)" : versionOf(browser)}`,
  ];
}

function versionOf(browser: string): string {
  try {
    return execFileSync(browser, ["--version"], {
      encoding: "utf8",
      timeout: 10_000,
      stdio: ["ignore", "pipe", "ignore"],
    }).trim();
  } catch {
    return `${browser} (does not tell its version)`;
  }
}
