import { afterEach, expect, test, vi } from 'vitest';
import { Connection } from '../../src/pg/connection.js';
import { useFleets, versionsOf } from './fleets.js';

const fleets = useFleets();
const STEP = 'alter table item add column extra text;';
const DATABASES = ['database-1', 'database-2'];

afterEach(() => vi.restoreAllMocks());

test('with nothing pending each database is asked once', async () => {
  const fleet = await fleets.make({ pool: 0, schema: 1, database: 2 });
  const asked = vi.spyOn(Connection.prototype, 'rows');
  const report = await fleet.migrate({ fleet: fleet.process({}) });
  expect(report.totals).toMatchObject({ units: 0, tenants: 0, current: 3 });
  const times = (tenant: string): number =>
    (asked.mock.contexts as Connection[]).filter(({ database }) => database.includes(tenant)).length;
  expect(DATABASES.map(times)).toEqual([1, 1]);
});

test('a database whose local state is of an older tool is brought up to date before its units', async () => {
  const fleet = await fleets.make({ pool: 0, schema: 1, database: 2 });
  await fleet.own(
    'database-1',
    `drop function tenantctl.complete_home; alter table tenantctl.adopted drop column catalog, drop column shut;
     delete from tenantctl.ledger where unit = 'tenantctl' and id >= 12`,
  );
  fleet.add(STEP);
  expect((await fleet.migrate({ fleet: fleet.process({}) })).totals).toMatchObject({
    succeeded: 3,
    failed: 0,
  });
  for (const versions of Object.values(await versionsOf(fleet))) expect(versions).toEqual([1, 2, 3]);
  for (const tenant of DATABASES)
    expect(await fleet.own(tenant, 'select catalog, shut from tenantctl.adopted')).toEqual([]);
});

test('a database whose local state is of a newer tool is left alone, and the others are migrated', async () => {
  const fleet = await fleets.make({ pool: 0, schema: 1, database: 2 });
  await fleet.own(
    'database-1',
    `insert into tenantctl.ledger (unit, id, name, checksum, tool) values ('tenantctl', 999, '0999_later', 'x', 'x')`,
  );
  fleet.add(STEP);
  const report = await fleet.migrate({ fleet: fleet.process({}) });
  expect(report.failures).toMatchObject([{ unit: 'database:database-1', code: 'TOOL_OUTDATED' }]);
  expect(await versionsOf(fleet)).toMatchObject({
    'database:database-1': [1, 2],
    'database:database-2': [1, 2, 3],
  });
});
