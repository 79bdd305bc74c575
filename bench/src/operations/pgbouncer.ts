import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { freePort, until } from "./waiting.ts";

export interface Pooler {
  readonly url: string;
  readonly stop: () => Promise<void>;
}

/** A PgBouncer of the measurement's own before the server, in transaction mode: each transaction may get another session. */
export async function startPgbouncer(serverUrl: string, sessions: number): Promise<Pooler> {
  const target = new URL(serverUrl);
  const database = target.pathname.slice(1);
  const directory = mkdtempSync(join(tmpdir(), "reprise-bench-pgbouncer-"));
  // it gives up the rights of root, and must still read its settings
  chmodSync(directory, 0o755);
  const port = await freePort();
  const password = target.password === "" ? "" : ` password=${decodeURIComponent(target.password)}`;
  const file = join(directory, "pgbouncer.ini");
  writeFileSync(
    file,
    `[databases]
${database} = host=${target.hostname} port=${target.port || 5432} dbname=${database} user=${target.username}${password}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = ${sessions}
${process.getuid?.() === 0 ? "user = postgres" : ""}
`,
    { mode: 0o644 },
  );
  const child = spawn("pgbouncer", ["--quiet", file], { stdio: "ignore" });
  const ended = Promise.race([once(child, "exit"), once(child, "error").then(([error]) => Promise.reject(error))]);
  const stop = async () => {
    child.kill("SIGTERM");
    await ended.catch(() => undefined);
    rmSync(directory, { recursive: true, force: true });
  };
  const url = `postgres://${target.username}@127.0.0.1:${port}/${database}`;
  try {
    await Promise.race([
      until(() => answers(url)),
      ended.then(() => Promise.reject(new Error("pgbouncer ended before it answered"))),
    ]);
    return { url, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function answers(url: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url });
  try {
    await client.connect();
    await client.end();
    return true;
  } catch {
    return false;
  }
}
