import pg from 'pg';
import { afterEach, beforeAll } from 'vitest';
import type { Connection } from '../../../src/pg/connection.js';
import { ident } from '../../../src/pg/sql.js';
import { useServer } from '../../support/server.js';
import { engineSession } from '../../support/session.js';

const DATABASE = 'shapes';

/** A database of plain schemas, filled by hand. Call it at the top of a file. */
export function useSchemas() {
  const server = useServer();
  const open: { close(): Promise<unknown> }[] = [];
  let schemas = 0;

  beforeAll(async () => {
    const admin = new pg.Client({ connectionString: server.current.adminUrl('postgres') });
    await admin.connect();
    await admin.query(`create database ${DATABASE}`);
    await admin.end();
  });

  afterEach(async () => {
    for (const session of open.splice(0)) await session.close();
  });

  /** A session as the engine has it. */
  const connect = async (): Promise<Connection> => {
    const connection = await engineSession(server.current, DATABASE);
    open.push(connection);
    return connection;
  };

  /** A session of somebody else's. */
  const outsider = async (): Promise<pg.Client> => {
    const client = new pg.Client({ connectionString: server.current.adminUrl(DATABASE) });
    client.on('error', () => undefined);
    await client.connect();
    open.push({ close: () => client.end() });
    return client;
  };

  /** A schema made by these statements; without a name it gets one of its own. */
  const schema = async (text: string, name = `plain_${(schemas += 1)}`): Promise<string> => {
    const client = await outsider();
    const quoted = ident(name).text();
    await client.query(`create schema ${quoted}; set search_path = ${quoted}; ${text}`);
    await client.end();
    return name;
  };

  return { connect, outsider, schema };
}
