import { expect, test } from 'vitest';
import { checkIsolation } from '../../../src/operations/check/isolation.js';
import { query, useServer } from '../../support/server.js';
import { isolatedFleet } from './isolated-fleet.js';

const server = useServer();

test('the catalogs are asked and the fleet is probed; a database that cannot be entered is a finding, and the others are looked at', async () => {
  const made = await isolatedFleet(server.current);
  const healthy = await checkIsolation(made.fleet);
  expect(healthy.findings.filter(({ level }) => level !== 'info')).toEqual([]);
  expect(healthy.coverage.probed).toBeGreaterThan(100);

  await made.run('pool', 'alter table reminder disable row level security');
  await made.fleet.connections('main').leave('d_corp');
  await query(server.current.superuserUrl('postgres'), 'alter database d_corp allow_connections false');
  const { findings } = await checkIsolation(made.fleet);
  const pool = `main/${made.databaseOf('pool')}`;
  expect(findings.map(({ rule, where }) => `${rule} ${where}`)).toEqual(
    expect.arrayContaining([`rls-off ${pool}.app.reminder`, 'not-inspected main/d_corp']),
  );
  expect(findings[0]?.level).toBe('error');
});
