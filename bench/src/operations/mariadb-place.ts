import mysql from "mysql2/promise";

/** The server, a MariaDB or MySQL: by MYSQL_HOST and MYSQL_PORT, else of this machine. */
export const mariadbServer = {
  host: process.env["MYSQL_HOST"] ?? "127.0.0.1",
  port: Number(process.env["MYSQL_PORT"] ?? 3306),
  user: "root",
};

export async function askMariadb(): Promise<void> {
  const connection = await mysql.createConnection({ ...mariadbServer, connectTimeout: 5_000 });
  await connection.end();
}
