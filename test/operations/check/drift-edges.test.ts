import { expect, test, vi } from 'vitest';
import type { ClusterSettings } from '../../../src/core/settings.js';
import { Fleet } from '../../../src/engine/context.js';
import { checkDrift } from '../../../src/operations/check/drift.js';
import { Standards } from '../../../src/operations/check/drift/reference.js';
import { Connection } from '../../../src/pg/connection.js';
import { connectionFailure } from '../../../src/pg/errors.js';
import { schemaOf } from '../runs-support.js';
import { type SmallFleet, useFleets } from '../fleets.js';
import { query, withClient } from '../../support/server.js';

const fleets = useFleets();
const ADD = 'create index by_hand_idx on %.item (note)';

const schemas = (count: number) => fleets.make({ pool: 0, schema: count, database: 0 });
const byHand = (fleet: SmallFleet, tenant: string, text = ADD) =>
  fleet.shared(text.replaceAll('%', `"${schemaOf(fleet, tenant)}"`));

const told = async (fleet: SmallFleet, as: Fleet = fleet.fleet) =>
  (await checkDrift(as)).findings.map(({ rule, level, facts }) => ({ rule, level, units: facts['units'] }));

test('most tenants are right until a run has seen what the files make', async () => {
  const fleet = await schemas(3);
  for (const tenant of ['schema-1', 'schema-2']) await byHand(fleet, tenant);
  const { findings, shapes } = await checkDrift(fleet.fleet);
  expect(findings).toMatchObject([
    {
      rule: 'shape-differs',
      where: expect.stringContaining('schema:schema-3') as string,
      message:
        '1 unit at 0002_step does not look like the other 2: index by_hand_idx is missing; a rollout stops there',
    },
  ]);
  expect(shapes).toEqual([
    {
      kind: 'schemas',
      version: '0002_step',
      postgres: expect.any(Number) as number,
      units: 2,
      tenants: 2,
      examples: ['schema:schema-1', 'schema:schema-2'],
      majority: true,
      differences: [],
    },
    expect.objectContaining({ units: 1, majority: false, differences: ['index by_hand_idx is missing'] }),
  ]);
  fleet.add('alter table item add column due date');
  await fleet.migrate();
  expect(await told(fleet)).toEqual([
    { rule: 'shape-differs', level: 'error', units: ['schema:schema-1', 'schema:schema-2'] },
  ]);
});

test('where no shape is that of most tenants the files tell who is right', async () => {
  const fleet = await schemas(3);
  await byHand(fleet, 'schema-1');
  await byHand(fleet, 'schema-2', 'alter table %.item add column extra int');
  expect(await told(fleet)).toEqual([
    { rule: 'shape-differs', level: 'error', units: ['schema:schema-1'] },
    { rule: 'shape-differs', level: 'error', units: ['schema:schema-2'] },
  ]);
  const left = await fleet.shared(`select from pg_namespace where nspname like 'tenantctl\\_shape%'`);
  expect(left).toEqual([]);
});

test('where neither can tell, that is said of all', async () => {
  const fleet = await schemas(2);
  fleet.add(`do $$ begin if current_schema ~ '^tenantctl' then raise exception 'not here'; end if; end $$`);
  await fleet.migrate();
  await fleet.catalog('delete from tenantctl_catalog.shapes');
  await byHand(fleet, 'schema-1');
  const { findings } = await checkDrift(fleet.fleet);
  expect(findings).toHaveLength(2);
  for (const { message } of findings)
    expect(message).toContain('the files cannot tell who is right: not here');
});

test('a shape that everybody has and no file makes is told as such', async () => {
  const fleet = await schemas(2);
  fleet.add('alter table item add column due date');
  await fleet.migrate();
  for (const tenant of ['schema-1', 'schema-2']) await byHand(fleet, tenant);
  expect(await told(fleet)).toEqual([
    { rule: 'shape-unlike-files', level: 'warning', units: ['schema:schema-1', 'schema:schema-2'] },
  ]);
});

test('what was stamped and not run is known by the shape of the version before, in the fleet, in the catalog or by the files', async () => {
  const fleet = await schemas(4);
  fleet.add('alter table item add column due date');
  await fleet.migrate({ selectors: ['id!=schema-4'] });
  const stamp = `insert into tenantctl.ledger (unit, id, name, checksum, tool)
    select 'schema:${schemaOf(fleet, 'schema-4')}', id, name, checksum, 'by hand' from tenantctl.ledger
     where unit = 'schema:${schemaOf(fleet, 'schema-1')}' and id = 3`;
  await fleet.shared(stamp);
  await fleet.catalog(`update tenantctl_catalog.units set version_id = 3, version_name = '0003_step'`);
  const wanted = [{ rule: 'recorded-not-applied', level: 'error', units: ['schema:schema-4'] }];
  expect(await told(fleet)).toEqual(wanted);
  await fleet.catalog('delete from tenantctl_catalog.shapes');
  const { findings } = await checkDrift(fleet.fleet);
  expect(findings.map(({ rule }) => rule)).toEqual(['recorded-not-applied']);
  for (const statement of findings[0]?.facts.sql ?? []) await fleet.shared(statement);
  expect((await fleet.migrate()).status).toBe('succeeded');
  expect(await told(fleet)).toEqual([]);
});

test('a home that somebody holds is a warning', async () => {
  const fleet = await schemas(3);
  await withClient(fleet.sharedUrl, async (rival) => {
    await rival.query(`begin; lock table "${schemaOf(fleet, 'schema-2')}".item in access exclusive mode`);
    expect(await told(fleet)).toEqual([
      { rule: 'not-compared', level: 'warning', units: ['schema:schema-2'] },
    ]);
  });
});

test('a home that is migrated while it is looked at is a warning, not drift', async () => {
  const fleet = await schemas(3);
  const look = Connection.prototype.transaction;
  const looking = vi.spyOn(Connection.prototype, 'transaction').mockImplementationOnce(async function (
    this: Connection,
    ...given: Parameters<typeof look>
  ) {
    const ledgers: unknown = await look.apply(this, given);
    await byHand(fleet, 'schema-2');
    await fleet.shared(`insert into tenantctl.ledger (unit, id, name, checksum, tool)
      values ('schema:${schemaOf(fleet, 'schema-2')}', 3, '0003_step', 'x', 'a rollout')`);
    return ledgers;
  } as typeof look);
  expect(await told(fleet)).toEqual([{ rule: 'not-compared', level: 'warning', units: ['schema:schema-2'] }]);
  looking.mockRestore();
});

test('of a server that is away nothing is said but that, with its units', async () => {
  const fleet = await schemas(1);
  const { main } = fleet.settings.clusters;
  const url = new URL(main?.url ?? '');
  url.port = '1';
  const away = new Fleet(
    { ...fleet.settings, clusters: { main: { ...main, url: url.href } as ClusterSettings } },
    fleet.fleet.options,
  );
  expect((await checkDrift(away)).findings).toMatchObject([
    { rule: 'not-compared', level: 'error', facts: { units: ['schema:schema-1'], unreachable: true } },
  ]);
  await away.close();
});

test('a server that goes away in the middle keeps nothing from being told that was seen elsewhere', async () => {
  const fleet = await schemas(2);
  await byHand(fleet, 'schema-1');
  const reading = vi
    .spyOn(Standards.prototype, 'read')
    .mockRejectedValue(
      connectionFailure('main', 'app', Object.assign(new Error('gone'), { code: 'ECONNRESET' })),
    );
  const { findings } = await checkDrift(fleet.fleet);
  reading.mockRestore();
  expect(findings).toMatchObject([
    {
      rule: 'not-compared',
      facts: { units: ['schema:schema-1', 'schema:schema-2'], unreachable: true },
    },
  ]);
});

test('nothing is brought up to date, nor made, by looking', async () => {
  const fleet = await schemas(2);
  const url = fleets.server.superuserUrl(new URL(fleet.sharedUrl).pathname.slice(1));
  await query(url, 'drop schema tenantctl cascade');
  expect(await told(fleet, fleet.process({}))).toEqual([
    { rule: 'not-compared', level: 'error', units: ['schema:schema-1', 'schema:schema-2'] },
  ]);
  expect(await query(url, `select from pg_namespace where nspname = 'tenantctl'`)).toEqual([]);
});

test('what a half-done migration has made is no drift: nobody is told to drop it', async () => {
  const fleet = await schemas(2);
  await fleet.shared(
    `update tenantctl.ledger set state = 'started' where unit = 'schema:${schemaOf(fleet, 'schema-2')}' and id = 2`,
  );
  const { findings, skipped } = await checkDrift(fleet.fleet);
  expect(findings.map(({ rule }) => rule).toSorted()).toEqual(['catalog-version', 'migration-unfinished']);
  expect(skipped).toEqual([
    { unit: 'schema:schema-2', reason: expect.stringContaining('begun on it and not ended') as string },
  ]);
});
