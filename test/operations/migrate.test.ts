import { describe, expect, test } from 'vitest';
import { failureOf } from '../engine/ledger/directory.js';
import { useFleets, versionsOf } from './fleets.js';

const fleets = useFleets();
const STEP =
  'alter table item add column extra text; create index item_extra on item (extra); -- tenantctl: allow index-without-concurrently because the table has few rows';

const RUNS = `select id, status, status_reason as reason, target_name as target, finished_at is null as open
  from tenantctl_catalog.runs order by started_at`;

describe('a fleet of thirty units over three tiers', () => {
  test('gets a new migration everywhere once, and then has nothing to do', async () => {
    const fleet = await fleets.make({ pool: 4, schema: 23, database: 6 });
    const units = Object.keys(await versionsOf(fleet)).sort();
    expect(units).toHaveLength(30);
    fleet.add(STEP);
    const before = await versionsOf(fleet);
    const audited = await fleet.catalog('select from tenantctl_catalog.audit');

    const plan = await fleet.preview();
    const locks = [
      {
        relation: 'item',
        lock: 'ACCESS EXCLUSIVE',
        blocks: 'readers and writers',
        rewrites: false,
        scans: true,
      },
    ];
    expect(plan.migrations).toEqual([{ id: 3, name: '0003_step', phase: null, transactional: true, locks }]);
    expect(plan.waves.map(({ name }) => name)).toEqual(['rest', 'pools']);
    expect(plan.waves.flatMap((wave) => wave.units).sort()).toEqual(units);
    expect(plan.waves.map(({ tenants }) => tenants)).toEqual([29, 4]);
    expect(await versionsOf(fleet)).toEqual(before);
    expect(await fleet.catalog(RUNS)).toEqual([]);
    expect(await fleet.catalog('select from tenantctl_catalog.audit')).toHaveLength(audited.length);

    const report = await fleet.migrate();
    expect(report).toMatchObject({ status: 'succeeded', to: { id: 3, name: '0003_step' }, failures: [] });
    expect(report.totals).toMatchObject({ units: 30, tenants: 33, succeeded: 30, failed: 0, pending: 0 });
    const after = await versionsOf(fleet);
    expect(Object.keys(after).sort()).toEqual(units);
    for (const ids of Object.values(after)) expect(ids).toEqual([1, 2, 3]);
    const seen = await fleet.catalog(
      'select distinct version_id as id, version_name as name from tenantctl_catalog.units',
    );
    expect(seen).toEqual([{ id: 3, name: '0003_step' }]);

    expect(await fleet.catalog(RUNS)).toEqual([
      { id: report.run, status: 'succeeded', reason: null, target: '0003_step', open: false },
    ]);
    const waves = 'select name, status from tenantctl_catalog.run_waves order by ordinal';
    expect(await fleet.catalog(waves)).toEqual([
      { name: 'rest', status: 'succeeded' },
      { name: 'pools', status: 'succeeded' },
    ]);
    const rows = `select status, from_version as "from", to_version as "to", attempts, count(*)::int as units
      from tenantctl_catalog.run_units group by 1, 2, 3, 4`;
    expect(await fleet.catalog(rows)).toEqual([
      { status: 'succeeded', from: 2, to: 3, attempts: 1, units: 30 },
    ]);
    expect(await fleet.catalog('select id from tenantctl_catalog.run_migrations order by id')).toHaveLength(
      3,
    );
    const audit = `select phase, actor, details ->> 'units' as units from tenantctl_catalog.audit where run = $1 order by seq`;
    expect(await fleet.catalog(audit, [report.run])).toEqual([
      { phase: 'intent', actor: 'suite', units: '30' },
      { phase: 'done', actor: 'suite', units: '30' },
    ]);
    const ofRun = await fleet.shared('select count(*)::int as rows from tenantctl.ledger where run = $1', [
      report.run,
    ]);
    expect(ofRun).toEqual([{ rows: 24 }]);

    const types = fleet.events.map(({ type }) => type).filter((type) => type !== 'notice');
    expect(types[0]).toBe('run.started');
    expect(types.at(-1)).toBe('run.finished');
    expect(types.filter((type) => type === 'unit.finished')).toHaveLength(30);

    const again = await fleet.migrate();
    expect(again).toMatchObject({ run: null, status: 'succeeded', totals: { current: 30, succeeded: 0 } });
    expect(await fleet.catalog(RUNS)).toHaveLength(1);
    expect(await versionsOf(fleet)).toEqual(after);
  });
});

describe('a run', () => {
  test('goes as far as it is told, by number or name', async () => {
    const fleet = await fleets.make({ pool: 1, schema: 1, database: 1 });
    fleet.add('create table a ()', 'create table b ()', 'create table c ()');
    expect(await fleet.migrate({ to: '3' })).toMatchObject({ to: { name: '0003_step' } });
    expect(new Set(Object.values(await versionsOf(fleet)).map(String))).toEqual(new Set(['1,2,3']));
    await fleet.migrate({ to: '0004_step' });
    expect(new Set(Object.values(await versionsOf(fleet)).map(String))).toEqual(new Set(['1,2,3,4']));
    expect(await fleet.migrate({ to: '0003' })).toMatchObject({ run: null, totals: { current: 3 } });
    const unknown = await failureOf(fleet.migrate({ to: '9' }));
    expect(unknown).toMatchObject({ code: 'MIGRATION_UNKNOWN', exit: 2 });
  });

  test('takes the units that are selected, a pool only whole', async () => {
    const fleet = await fleets.make({ pool: 2, schema: 2, database: 0 });
    const pool = Object.keys(fleet.settings.clusters['main']?.pools ?? {})[0] as string;
    fleet.add(STEP);
    const refused = await failureOf(fleet.migrate({ selectors: ['id=pool-1', 'tier=schema'] }));
    expect(refused).toMatchObject({ code: 'POOL_PARTLY_SELECTED', exit: 6, facts: { unit: `pool:${pool}` } });
    expect(refused.hint).toContain(`unit=pool:${pool}`);
    expect(await fleet.catalog(RUNS)).toEqual([]);
    await fleet.migrate({ selectors: ['id=schema-1'] });
    expect(await versionsOf(fleet)).toEqual({
      [`pool:${pool}`]: [1, 2],
      'schema:schema-1': [1, 2, 3],
      'schema:schema-2': [1, 2],
    });
    await fleet.migrate({ selectors: [`unit=pool:${pool}`] });
    expect((await versionsOf(fleet))[`pool:${pool}`]).toEqual([1, 2, 3]);
    const nobody = await failureOf(fleet.migrate({ selectors: ['id=nobody'] }));
    expect(nobody).toMatchObject({ code: 'NOTHING_SELECTED', exit: 5 });
    const allowed = await fleet.migrate({ selectors: ['id=nobody'], allowEmpty: true });
    expect(allowed).toMatchObject({ run: null, totals: { units: 0 } });
  });

  test('stops nothing else when one unit fails, and finishes that one when it is repaired', async () => {
    const fleet = await fleets.make({ pool: 1, schema: 3, database: 1 });
    const bad = fleet.settings.tenancy.names.schema.replace('{id}', 'schema-2');
    await fleet.shared(
      `insert into "${bad}".item select gen_random_uuid(), i, 'same' from generate_series(1, 2) i`,
    );
    fleet.add(
      'create table before ()',
      '-- unique\nselect 1;\nalter table item add unique (note); -- tenantctl: allow key-built-under-lock because the table has few rows',
    );
    const report = await fleet.migrate();
    expect(report).toMatchObject({ status: 'partial', totals: { succeeded: 4, failed: 1, pending: 0 } });
    expect(report.failures).toEqual([
      {
        unit: 'schema:schema-2',
        tenants: ['schema-2'],
        code: 'MIGRATION_FAILED',
        migration: '0004_step',
        sqlstate: '23505',
        message: expect.stringContaining('0004_step.sql:3:1'),
        file: `${fleet.directory}/0004_step.sql`,
        line: 3,
        attempts: 1,
        wave: 'rest',
      },
    ]);
    expect((await versionsOf(fleet))['schema:schema-2']).toEqual([1, 2, 3]);
    const failed = `select unit, status, fault ->> 'sqlstate' as sqlstate from tenantctl_catalog.run_units where status <> 'succeeded'`;
    expect(await fleet.catalog(failed)).toEqual([
      { unit: 'schema:schema-2', status: 'failed', sqlstate: '23505' },
    ]);
    await fleet.shared(`delete from "${bad}".item where id = 2`);
    const repaired = await fleet.migrate();
    expect(repaired).toMatchObject({ status: 'succeeded', totals: { succeeded: 1, current: 4 } });
    for (const ids of Object.values(await versionsOf(fleet))) expect(ids).toEqual([1, 2, 3, 4]);
  });

  test('applies nothing anywhere when a file was edited after one unit had it', async () => {
    const fleet = await fleets.make({ pool: 1, schema: 2, database: 1 });
    const before = await versionsOf(fleet);
    fleet.add(STEP);
    const one = fleet.settings.tenancy.names.schema.replace('{id}', 'schema-2');
    await fleet.shared(`update tenantctl.ledger set checksum = 'other' where unit = $1 and id = 2`, [
      `schema:${one}`,
    ]);
    const error = await failureOf(fleet.migrate());
    expect(error).toMatchObject({ code: 'MIGRATION_EDITED', exit: 3, facts: { unit: 'schema:schema-2' } });
    expect(await versionsOf(fleet)).toEqual(before);
    expect(await fleet.catalog(RUNS)).toEqual([]);
  });

  test('names a unit that is ahead of the files, and migrates the others', async () => {
    const fleet = await fleets.make({ pool: 0, schema: 2, database: 0 });
    const one = fleet.settings.tenancy.names.schema.replace('{id}', 'schema-1');
    await fleet.shared(
      `insert into tenantctl.ledger (unit, id, name, checksum, tool) values ($1, 9, '0009_later', 'x', 'x')`,
      [`schema:${one}`],
    );
    fleet.add(STEP);
    const report = await fleet.migrate();
    expect(report).toMatchObject({ status: 'partial', totals: { succeeded: 1, failed: 1 } });
    expect(report.failures).toMatchObject([{ unit: 'schema:schema-1', code: 'UNIT_AHEAD' }]);
    expect((await versionsOf(fleet))['schema:schema-2']).toEqual([1, 2, 3]);
  });

  test('goes on without a database that was dropped', async () => {
    const fleet = await fleets.make({ pool: 1, schema: 1, database: 2 });
    const gone = fleet.settings.tenancy.names.database.replace('{id}', 'database-1');
    await fleet.fleet.connections('main').leave(gone);
    await fleet.catalog(`drop database "${gone}" with (force)`);
    fleet.add(STEP);
    fleet.tenants.database.shift();
    const report = await fleet.migrate({ fleet: fleet.process({}) });
    expect(report.totals).toMatchObject({ units: 4, succeeded: 3, failed: 1, current: 0 });
    expect(report.failures).toMatchObject([
      { unit: 'database:database-1', tenants: ['database-1'], code: 'CANNOT_CONNECT', sqlstate: '3D000' },
    ]);
    const versions = await versionsOf(fleet);
    expect(Object.values(versions)).toEqual([
      [1, 2, 3],
      [1, 2, 3],
      [1, 2, 3],
    ]);
    await fleet.close();
  });

  test('goes on without databases whose local state it cannot work with', async () => {
    const fleet = await fleets.make({ pool: 0, schema: 1, database: 3 });
    await fleet.own(
      'database-1',
      `insert into tenantctl.ledger (unit, id, name, checksum, tool) values ('tenantctl', 99, '0099_later', 'x', '9.9.9')`,
    );
    await fleet.own('database-2', 'alter table tenantctl.ledger rename column state to condition');
    fleet.add(STEP);
    const report = await fleet.migrate({ fleet: fleet.process({}) });
    expect(report).toMatchObject({ status: 'partial', totals: { succeeded: 2, failed: 2 } });
    expect(report.failures).toMatchObject([
      { unit: 'database:database-1', code: 'TOOL_OUTDATED' },
      { unit: 'database:database-2', code: 'LEDGER_UNREADABLE', sqlstate: '42703' },
    ]);
    expect(
      await fleet.own('database-3', `select max(id) as id from tenantctl.ledger where unit = 'self'`),
    ).toEqual([{ id: 3 }]);
    await fleet.close();
  });

  test('brings the catalog up to the ledgers where it was behind', async () => {
    const fleet = await fleets.make({ pool: 1, schema: 1, database: 0 });
    await fleet.catalog(`update tenantctl_catalog.units set version_id = 1, version_name = '0001_step'`);
    await fleet.migrate();
    const seen = await fleet.catalog(
      'select distinct version_id as id, version_name as name from tenantctl_catalog.units',
    );
    expect(seen).toEqual([{ id: 2, name: '0002_step' }]);
  });
});
