import { expect, test } from 'vitest';
import { exportTenant } from '../../src/operations/export.js';
import { cancelOffboarding } from '../../src/operations/offboard/cancel.js';
import { offboardTenant } from '../../src/operations/offboard/offboard.js';
import { replaceTenant } from '../../src/operations/restore/replace.js';
import { runRetention } from '../../src/operations/retention/run.js';
import { newFolder } from '../support/folder.js';
import { useServer } from '../support/server.js';
import { adoptedFleet } from './adopted-fleet.js';

const server = useServer();
const now = { dryRun: false };

test('a tenant leaves for good with proof, and the role that serves the others stays what it was', async () => {
  const made = await adoptedFleet(server.current, {
    databases: ['umbrella'],
    retention: { directory: newFolder() },
  });
  const { fleet, inside } = made;
  await made.inherit();
  const role = `select to_jsonb(r) as role from pg_roles r where rolname = '${made.app}'`;
  const before = await inside('postgres', role);
  await offboardTenant(fleet, { id: 'globex', withoutExport: true }, now);
  await cancelOffboarding(fleet, 'globex', now);
  for (const id of ['acme', 'umbrella']) await offboardTenant(fleet, { id, retainMs: 0 }, now);
  const done = await runRetention(fleet, { ids: [] });
  expect(done).toMatchObject({ failed: [] });
  expect(await inside('postgres', role)).toEqual(before);
  expect(
    await inside(made.database, `select nspname from pg_namespace where nspname like 'Legacy%'`),
  ).toEqual([{ nspname: 'Legacy globex' }]);
  expect(
    await inside(
      'postgres',
      `select from pg_database where datname = '${made.homeOf('umbrella').placement.database}'`,
    ),
  ).toEqual([]);
  expect(await made.asApp(made.database, 'select from "Legacy globex".customer')).toHaveLength(2);
  expect(await made.findings()).toEqual([]);
});

test('rows that were deleted come back into the home from an export', async () => {
  const made = await adoptedFleet(server.current, { schemas: ['acme'] });
  const { fleet, inside } = made;
  await made.inherit();
  const directory = `${newFolder()}/bag`;
  await exportTenant(fleet, { id: 'acme', directory }, now);
  await inside(made.database, 'delete from "Legacy acme".bill');
  await replaceTenant(fleet, { directory, into: 'acme' });
  expect(await made.asApp(made.database, 'select id, cents from "Legacy acme".bill order by 1')).toEqual([
    { id: 1, cents: 5 },
    { id: 2, cents: 7 },
  ]);
  expect(await made.findings()).toEqual([]);
});
