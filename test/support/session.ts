import { Connection } from '../../src/pg/connection.js';
import type { LocalServer } from '../../src/embedded/server.js';

/** A session as the engine has it, by the admin's role. */
export function engineSession(server: LocalServer, database: string): Promise<Connection> {
  const endpoint = { name: database, url: server.adminUrl(database), maxConnections: 9, maxPerDatabase: 9 };
  return Connection.open(endpoint, database, 'suite');
}

/** Two of them, which are closed when the work is done. */
export async function withTwoSessions(
  server: LocalServer,
  work: (one: Connection, other: Connection) => Promise<void>,
): Promise<void> {
  const [one, other] = [await engineSession(server, 'postgres'), await engineSession(server, 'postgres')];
  try {
    await work(one, other);
  } finally {
    await one.close();
    await other.close();
  }
}
