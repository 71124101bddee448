import { Connection } from '../../src/pg/connection.js';
import type { LocalServer } from '../../src/embedded/server.js';

/** A session as the engine has it, by the admin's role. */
export function engineSession(server: LocalServer, database: string): Promise<Connection> {
  const endpoint = { name: database, url: server.adminUrl(database), maxConnections: 9, maxPerDatabase: 9 };
  return Connection.open(endpoint, database, 'suite');
}
