import { expect, test } from 'vitest';
import { dropDatabase } from '../../../src/engine/tiers/template.js';
import { failureOf } from '../ledger/directory.js';
import { newFleet } from '../../support/fleet.js';
import { query, useServer, withClient } from '../../support/server.js';

const server = useServer();

test('a database with sessions that the administrator may not end is kept, and says whose they are', async () => {
  const { fleet } = await newFleet(server.current);
  const superuser = server.current.superuserUrl('postgres');
  const connections = fleet.connections('main');
  await connections.use('postgres', (connection) => connection.message('create database busy'));
  await query(superuser, `create role visitor login password 'a-visitor-1'`);
  await query(superuser, 'grant connect on database busy to visitor');
  const url = new URL(server.current.adminUrl('busy'));
  [url.username, url.password] = ['visitor', 'a-visitor-1'];
  const drop = () => connections.use('postgres', (connection) => dropDatabase(connection, 'busy'));
  const gone = withClient(url.href, async (client) => {
    const refusal = await failureOf(drop());
    expect(refusal).toMatchObject({ code: 'DATABASE_IN_USE', exit: 5, facts: { roles: ['visitor'] } });
    expect(refusal.hint).toContain('pg_signal_backend');
    await query(superuser, 'grant pg_signal_backend to tenantctl_admin');
    await drop();
    await client.query('select 1');
  });
  await expect(gone).rejects.toThrow();
  expect(await query(superuser, `select from pg_database where datname = 'busy'`)).toEqual([]);
  await query(superuser, 'revoke pg_signal_backend from tenantctl_admin');
});
