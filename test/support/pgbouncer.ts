import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { postgresUrl } from "./postgres.ts";

/** The pooler's version; `undefined`: it is not installed. */
export function pgbouncerVersion(): string | undefined {
  const { status, stdout } = spawnSync("pgbouncer", ["--version"], { encoding: "utf8", timeout: 10_000 });
  return status === 0 ? stdout.split("\n", 1)[0] : undefined;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

/** A PgBouncer of the test's own before the server, in transaction mode: each transaction may get another session. */
export async function startPgbouncer(): Promise<{ readonly url: string; readonly stop: () => Promise<void> }> {
  const target = new URL(postgresUrl);
  const database = target.pathname.slice(1);
  const directory = mkdtempSync(join(tmpdir(), "reprise-pgbouncer-"));
  // it gives up the rights of root, and must still read its settings
  chmodSync(directory, 0o755);
  const port = await freePort();
  const password = target.password === "" ? "" : ` password=${decodeURIComponent(target.password)}`;
  const settings = `[databases]
${database} = host=${target.hostname} port=${target.port || 5432} dbname=${database} user=${target.username}${password}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 5
max_client_conn = 200
${process.getuid?.() === 0 ? "user = postgres" : ""}
`;
  const file = join(directory, "pgbouncer.ini");
  writeFileSync(file, settings, { mode: 0o644 });
  const child = spawn("pgbouncer", ["--quiet", file], { stdio: "ignore" });
  const exited = once(child, "exit");
  const stop = async () => {
    child.kill("SIGTERM");
    await exited;
    rmSync(directory, { recursive: true, force: true });
  };
  const url = `postgres://${target.username}@127.0.0.1:${port}/${database}`;
  for (let attempt = 1; ; attempt++) {
    const client = new pg.Client({ connectionString: url });
    try {
      await client.connect();
      await client.end();
      return { url, stop };
    } catch (error) {
      if (attempt === 100 || child.exitCode !== null) {
        await stop();
        throw error;
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}
