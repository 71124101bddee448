import { cpSync, rmSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseSelectors } from '../../src/core/selector.js';
import { Fleet } from '../../src/engine/context.js';
import { provisionTenant } from '../../src/operations/provision.js';
import { explainRun } from '../../src/operations/runs/explain.js';
import { directoryOf } from '../engine/ledger/directory.js';
import { query } from '../support/server.js';
import { wave } from '../engine/waves/plannable.js';
import { type SmallFleet, useFleets, versionsOf } from './fleets.js';
import {
  AT_BARRIER,
  STEP,
  closeBarrier,
  migratingAtBarrier,
  oneByOne,
  schemaOf,
  statuses,
  unitRows,
} from './runs-support.js';

const fleets = useFleets();
const THREE = { pool: 0, schema: 3, database: 0 };
const PATIENT = oneByOne({ lockTimeoutMs: 60_000 });
const moveOf = (tenant: string): string => `${tenant.slice(-1)}-moved`;
const byMove = (tenant: string): unknown =>
  expect.stringMatching(
    new RegExp(
      `^a tenant of it is being moved: tenant ${tenant}, move ${moveOf(tenant)} is copying, for [\\d.]+ m?s$`,
    ),
  );

/** The same fleet, seen from a checkout that has only the first two files. */
function olderCheckout(fleet: SmallFleet): Fleet {
  const directory = directoryOf({});
  cpSync(fleet.directory, directory, { recursive: true });
  rmSync(path.join(directory, '0003_step.sql'));
  const { migrations } = fleet.settings;
  return new Fleet({ ...fleet.settings, migrations: { ...migrations, directory } }, fleet.fleet.options);
}

/** What a move leaves in the catalog and at the old home of a tenant while it copies, and when it is given up. */
async function setMoving(fleet: SmallFleet, tenant: string, moving: boolean): Promise<void> {
  const status = moving ? 'moving' : 'active';
  await fleet.catalog(
    moving
      ? `insert into tenantctl_catalog.moves (id, tenant, from_epoch, from_home, to_epoch, to_home, method, state, actor)
         values ('${moveOf(tenant)}', $1, 1, '{}', 2, '{}', 'online', 'copying', 'suite')`
      : `update tenantctl_catalog.moves set state = 'aborted', finished_at = now() where tenant = $1`,
    [tenant],
  );
  await fleet.catalog('update tenantctl_catalog.tenants set status = $2 where id = $1', [tenant, status]);
  await fleet.shared('update tenantctl.placement set status = $2, state = $2 where tenant = $1', [
    tenant,
    status,
  ]);
}

/** What an offboarding leaves of a schema tenant. */
async function drop(fleet: SmallFleet, tenant: string, ledger: 'kept' | 'gone'): Promise<void> {
  await fleet.shared(`drop schema "${schemaOf(fleet, tenant)}" cascade`);
  await fleet.shared('delete from tenantctl.placement where tenant = $1', [tenant]);
  if (ledger === 'gone')
    await fleet.shared('delete from tenantctl.ledger where unit = $1', [`schema:${schemaOf(fleet, tenant)}`]);
  await forget(fleet, tenant);
}

/** What an offboarding leaves of any tenant in the catalog. */
async function forget(fleet: SmallFleet, tenant: string): Promise<void> {
  await fleet.catalog('update tenantctl_catalog.placements set until = now() where tenant = $1', [tenant]);
  for (const status of ['offboarding', 'deleted'])
    await fleet.catalog(
      `update tenantctl_catalog.tenants set status = '${status}', deleted_at = now() where id = $1`,
      [tenant],
    );
}

describe('a tenant that is provisioned by an older checkout while a run goes on', () => {
  test('is brought up to the target in a wave of its own', async () => {
    const fleet = await fleets.make(THREE, PATIENT);
    fleet.add(AT_BARRIER);
    const older = olderCheckout(fleet);
    const barrier = await closeBarrier(fleet);
    const running = fleet.migrate();
    await barrier.reached();
    await provisionTenant(older, { id: 'schema-4', tier: 'schema' });
    await older.close();
    await barrier.open();
    const report = await running;
    expect(report).toMatchObject({ status: 'succeeded', totals: { units: 4, succeeded: 4 } });
    expect(report.waves.map(({ name, units, status }) => [name, units, status])).toEqual([
      ['rest', 3, 'succeeded'],
      ['late', 1, 'succeeded'],
    ]);
    expect((await versionsOf(fleet))['schema:schema-4']).toEqual([1, 2, 3]);
  });
});

describe('a unit whose tenant is being moved', () => {
  test('when the run is made is left out with the reason, and visited at the end if it has arrived', async () => {
    const fleet = await fleets.make(THREE, PATIENT);
    fleet.add(AT_BARRIER);
    await setMoving(fleet, 'schema-2', true);
    await setMoving(fleet, 'schema-3', true);
    expect((await fleet.preview()).skipped).toEqual([
      { unit: 'schema:schema-2', reason: byMove('schema-2') },
      { unit: 'schema:schema-3', reason: byMove('schema-3') },
    ]);
    const barrier = await closeBarrier(fleet);
    const running = fleet.migrate();
    await barrier.reached();
    await setMoving(fleet, 'schema-2', false);
    await barrier.open();
    const report = await running;
    expect(report).toMatchObject({ status: 'succeeded', totals: { succeeded: 2, skipped: 1 } });
    expect(report.skipped).toEqual([{ unit: 'schema:schema-3', reason: byMove('schema-3') }]);
    expect((await unitRows(fleet)).map(({ unit, wave, status }) => [unit, wave, status])).toEqual([
      ['schema:schema-1', 'rest', 'succeeded'],
      ['schema:schema-3', 'rest', 'skipped'],
      ['schema:schema-2', 'late', 'succeeded'],
    ]);
    const [held] = report.skipped;
    expect((await explainRun(fleet.fleet, undefined, undefined)).units).toEqual([
      { unit: 'schema:schema-3', status: 'skipped', sentence: `skipped: ${held?.reason}` },
    ]);
    await setMoving(fleet, 'schema-3', false);
    expect((await fleet.migrate()).totals).toMatchObject({ succeeded: 1, current: 2 });
  });

  test('when its turn comes is left alone', async () => {
    const fleet = await fleets.make(THREE, PATIENT);
    const { barrier, running } = await migratingAtBarrier(fleet);
    await setMoving(fleet, 'schema-3', true);
    await barrier.open();
    const report = await running;
    expect(report).toMatchObject({ status: 'succeeded', totals: { succeeded: 2, skipped: 1, failed: 0 } });
    expect(report.skipped).toEqual([{ unit: 'schema:schema-3', reason: byMove('schema-3') }]);
    expect((await versionsOf(fleet))['schema:schema-3']).toEqual([1, 2]);
  });
});

describe('a unit that is dropped while a run goes on', () => {
  test.each(['kept', 'gone'] as const)(
    'is left out, and nothing is made elsewhere (ledger %s)',
    async (ledger) => {
      const fleet = await fleets.make(THREE, PATIENT);
      fleet.add(`${AT_BARRIER} create table made ();`);
      const barrier = await closeBarrier(fleet);
      const running = fleet.migrate();
      await barrier.reached();
      await drop(fleet, 'schema-2', ledger);
      await barrier.open();
      const report = await running;
      expect(report).toMatchObject({ status: 'succeeded', totals: { succeeded: 2, skipped: 1, failed: 0 } });
      expect(report.skipped).toEqual([
        { unit: 'schema:schema-2', reason: 'its tenant was deleted or has moved meanwhile' },
      ]);
      const made = `select nspname as schema from pg_class c join pg_namespace n on n.oid = c.relnamespace where relname = 'made' order by 1`;
      expect(await fleet.shared(made)).toEqual([
        { schema: schemaOf(fleet, 'schema-1') },
        { schema: schemaOf(fleet, 'schema-3') },
      ]);
    },
  );

  test('by hand is left out with the reason, though the catalog still has its tenant', async () => {
    const waves = [wave('first', { select: parseSelectors(['id=schema-1']) }), wave('rest')];
    const fleet = await fleets.make({ ...THREE, database: 1 }, oneByOne({ lockTimeoutMs: 60_000, waves }));
    const { barrier, running } = await migratingAtBarrier(fleet);
    await fleet.shared(`drop schema "${schemaOf(fleet, 'schema-2')}" cascade`);
    const database = fleet.settings.tenancy.names.database.replace('{id}', 'database-1');
    await query(fleets.server.superuserUrl('postgres'), `drop database "${database}" with (force)`);
    await barrier.open();
    const report = await running;
    expect(report).toMatchObject({ status: 'succeeded', totals: { succeeded: 2, skipped: 2, failed: 0 } });
    const but = 'was dropped meanwhile, though the catalog still has a tenant there';
    expect(report.skipped).toEqual([
      { unit: 'database:database-1', reason: `its database ${database} ${but}` },
      { unit: 'schema:schema-2', reason: `its schema ${schemaOf(fleet, 'schema-2')} ${but}` },
    ]);
  });

  test('by hand when its migration was done is left out too, and does not pass for one of another shape', async () => {
    const fleet = await fleets.make(THREE, PATIENT);
    const last = schemaOf(fleet, 'schema-3');
    fleet.add(
      `do $$ begin if current_schema() = '${last}' then perform pg_advisory_xact_lock(4711); end if; end $$;`,
    );
    const barrier = await closeBarrier(fleet);
    const running = fleet.migrate();
    await barrier.reached();
    await fleet.shared(`drop schema "${schemaOf(fleet, 'schema-1')}" cascade`);
    await barrier.open();
    const report = await running;
    expect(report).toMatchObject({ status: 'succeeded', totals: { succeeded: 2, skipped: 1, failed: 0 } });
    expect(report.skipped[0]).toMatchObject({
      unit: 'schema:schema-1',
      reason: expect.stringContaining('dropped'),
    });
  });

  test('is left out where it was a database of its own', async () => {
    const waves = [wave('first', { select: parseSelectors(['tier=schema']) }), wave('rest')];
    const fleet = await fleets.make(
      { ...THREE, schema: 1, database: 1 },
      oneByOne({ lockTimeoutMs: 60_000, waves }),
    );
    const { barrier, running } = await migratingAtBarrier(fleet);
    const name = fleet.settings.tenancy.names.database.replace('{id}', 'database-1');
    await query(fleets.server.superuserUrl('postgres'), `drop database "${name}" with (force)`);
    await forget(fleet, 'database-1');
    await barrier.open();
    const report = await running;
    expect(report).toMatchObject({ status: 'succeeded', totals: { succeeded: 1, skipped: 1, failed: 0 } });
    expect(report.skipped).toEqual([
      { unit: 'database:database-1', reason: 'its tenant was deleted or has moved meanwhile' },
    ]);
  });

  test('between two tries is left out as well', async () => {
    const fleet = await fleets.make(THREE, PATIENT);
    fleet.add(STEP);
    const interruption = new AbortController();
    const interrupted = fleet.process({
      signal: interruption.signal,
      onEvent: ({ type }) => type === 'unit.started' && interruption.abort(),
    });
    await fleet.migrate({ fleet: interrupted });
    await drop(fleet, 'schema-3', 'gone');
    const report = await fleet.migrate();
    expect(report).toMatchObject({ status: 'succeeded', totals: { succeeded: 2, skipped: 1 } });
    expect(await statuses(fleet)).toMatchObject({ 'schema:schema-3': 'skipped' });
    await fleet.close();
  });
});
