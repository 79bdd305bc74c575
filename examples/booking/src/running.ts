import { mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";

/** What a start must know before it touches anything: its port, and who else works on the data. */

/** The port to listen on. Ends with a sentence where it is no port or taken. */
export async function portToUse(given: string | undefined): Promise<number> {
  const port = Number(given === undefined || given === "" ? 4_000 : given);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) throw new Error(`PORT is '${given}', which is no port.`);
  await new Promise<void>((resolve, reject) => {
    const server = createServer();
    server.once("error", () => {
      reject(
        new Error(`Port ${port} is taken. Stop what listens there, or choose another: PORT=${port + 1} npm start`),
      );
    });
    server.listen(port, "127.0.0.1", () => server.close(() => resolve()));
  });
  return port;
}

/** Notes that this process works on the data, until it ends. */
export async function noteRunning(directory: string): Promise<{ readonly end: () => Promise<void> }> {
  const file = join(directory, "running", String(process.pid));
  await mkdir(join(directory, "running"), { recursive: true });
  await writeFile(file, "");
  return { end: () => rm(file, { force: true }) };
}

/** Clears the data, unless a platform works on it: it would go on acknowledging bookings that nobody ever finds. */
export async function clearData(directory: string): Promise<void> {
  const noted = await readdir(join(directory, "running")).catch(() => []);
  const alive = noted.filter((id) => isAlive(Number(id)));
  if (alive.length > 0) throw new Error(`A platform (process ${alive.join(", ")}) works on this data: stop it first.`);
  await rm(directory, { recursive: true, force: true });
}

function isAlive(id: number): boolean {
  try {
    process.kill(id, 0);
    return true;
  } catch {
    return false;
  }
}
