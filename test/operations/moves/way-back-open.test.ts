import { describe, expect, test, vi } from 'vitest';
import type { Tenant } from '../../../src/core/tenant.js';
import { requireMove } from '../../../src/engine/catalog/moves.js';
import { finishMove, goBack } from '../../../src/operations/moves/conduct.js';
import { rollback } from '../../../src/operations/rollback.js';
import { directoryOf, numbered } from '../../engine/ledger/directory.js';
import { query, useServer } from '../../support/server.js';
import { addMigration, processOf, runMigrations, standingMove } from './exclusion-support.js';
import { type MovingFleet, movingFleet } from './fleet.js';
import { ZOO } from './zoo.js';

const server = useServer();
const TABLES = `
  create table ren (tenant_id uuid not null, id int not null, v text, w int, primary key (tenant_id, id));
  create table uni (tenant_id uuid not null, code int not null, v text, constraint uni_once unique (tenant_id, code));`;
const GO = { wait: false, dryRun: false };

const rowsFleet = (): Promise<MovingFleet> =>
  movingFleet(server.current, {
    moves: { maxPauseMs: 10_000 },
    migrations: directoryOf(numbered(...ZOO, TABLES)),
  });

/** A fleet in which acme has moved from the pool to a schema and may go back, and other lives in a schema. */
async function movedFleet() {
  const fleet = await rowsFleet();
  await fleet.tenant('other', 'schema', 3);
  await fleet.tenant('acme', 'pool', 3);
  const { move } = await fleet.promote({ id: 'acme', to: 'schema', method: 'online' });
  const pool = `pool:${Object.keys(fleet.settings.clusters['main']?.pools ?? {})[0]}`;
  return { fleet, pool, stored: () => fleet.fleet.catalog((connection) => requireMove(connection, move)) };
}

/** One write to each table, as an application makes it. */
function write({ database, schema, key }: Tenant, id: number): Promise<unknown> {
  const url = server.current.superuserUrl(database);
  return query(
    url,
    `insert into "${schema}".ren values ('${key}', ${id}, 'new'); insert into "${schema}".uni values ('${key}', ${id}, 'new')`,
  );
}

async function versions({ settings }: MovingFleet): Promise<Record<string, number | null>> {
  const rows = await query<{ unit: string; to: number | null }>(
    settings.catalogUrl,
    `select unit, to_version as "to" from tenantctl_catalog.run_units
      where run = (select id from tenantctl_catalog.runs order by started_at desc limit 1) order by 1`,
  );
  return Object.fromEntries(rows.map(({ unit, to }) => [unit, to]));
}

/** Why a unit waits. */
const waiting = (unit: string, file: string) => ({
  unit,
  reason:
    `${unit} waits with ${file}: it changes the name or the key of a table, and by these the writes of acme are followed until the move has ended. ` +
    '`tenantctl moves complete acme` or `tenantctl moves undo acme` first, then run the same command again.',
});

const RENAME = `-- tenantctl: allow rename-column because no release reads it
  alter table ren rename column id to ident;`;

describe('a file that changes the name or the key of a table, while a tenant may still go back', () => {
  test('waits at both homes with the files behind it; those before it run, other units go on, and the tenant writes', async () => {
    const { fleet, pool, stored } = await movedFleet();
    addMigration(fleet, 4, 'alter table ren add column before text;');
    addMigration(fleet, 5, RENAME);
    addMigration(fleet, 6, 'alter table ren add column behind text;');
    const report = await runMigrations(fleet);
    expect(report).toMatchObject({ status: 'succeeded', totals: { succeeded: 1, skipped: 2, failed: 0 } });
    expect(report.skipped.toSorted((a, b) => a.unit.localeCompare(b.unit))).toEqual([
      waiting(pool, '0005_step'),
      waiting('schema:acme', '0005_step'),
    ]);
    expect(await versions(fleet)).toEqual({ [pool]: 4, 'schema:acme': 4, 'schema:other': 6 });
    await write(await fleet.show('acme'), 1);
    expect(await goBack(fleet.fleet, await stored())).toMatchObject({ state: 'undone' });
    await write(await fleet.show('acme'), 2);
    expect(await runMigrations(fleet)).toMatchObject({ totals: { succeeded: 1, skipped: 0, failed: 0 } });
    const { database, schema, key } = await fleet.show('acme');
    const url = server.current.superuserUrl(database);
    expect(
      await query(url, `select ident from "${schema}".ren where tenant_id = $1 order by 1`, [key]),
    ).toEqual([{ ident: 1 }, { ident: 2 }]);
  }, 90_000);

  test('runs once the move was completed', async () => {
    const { fleet, stored } = await movedFleet();
    addMigration(fleet, 4, RENAME);
    await runMigrations(fleet);
    await finishMove(fleet.fleet, await stored());
    expect(await runMigrations(fleet)).toMatchObject({ totals: { succeeded: 2, skipped: 0, failed: 0 } });
  }, 60_000);

  test('waits as well where the run had begun before the move had flipped', async () => {
    const fleet = await rowsFleet();
    await fleet.tenant('acme', 'pool', 3);
    const move = await standingMove(fleet, { id: 'acme', to: 'schema' });
    addMigration(fleet, 4, RENAME);
    const running = runMigrations(fleet, { wait: true });
    await vi.waitUntil(() => fleet.events.some(({ type }) => type === 'wave.waiting'), { timeout: 30_000 });
    await move.letGo();
    expect(await running).toMatchObject({ totals: { succeeded: 0, skipped: 2, failed: 0 } });
    await write(await fleet.show('acme'), 1);
  }, 60_000);

  test('waits on its way back too', async () => {
    const fleet = await rowsFleet();
    addMigration(fleet, 4, RENAME, 'alter table ren rename column ident to id;');
    await runMigrations(fleet);
    await fleet.tenant('acme', 'pool', 3);
    const by = processOf(fleet);
    await fleet.promote({ id: 'acme', to: 'schema', method: 'online' }, by);
    const back = await rollback(by, { to: '3', select: [], allowDataLoss: true, ...GO });
    await by.close();
    expect(back).toMatchObject({ totals: { succeeded: 0, skipped: 2, failed: 0 } });
    await write(await fleet.show('acme'), 1);
  }, 60_000);
});

const ALLOW = ['rename-table', 'rename-column', 'drop-column', 'column-type-change', 'key-built-under-lock']
  .map((rule) => `-- tenantctl: allow ${rule} because the homes of these tests have few rows`)
  .join('\n');

test('only what the writes of a tenant are followed by waits', async () => {
  const { fleet } = await movedFleet();
  const skipped = async (id: number, text: string): Promise<number> => {
    addMigration(fleet, id, `${ALLOW}\n${text}`);
    const { totals } = await runMigrations(fleet, { selectors: ['id=acme'] });
    expect(totals.failed).toBe(0);
    return totals.skipped;
  };
  const harmless = [
    'alter table ren drop column w;',
    'alter table ren alter column v type varchar;',
    'alter table ren rename constraint ren_pkey to ren_key;',
    'create table fresh (tenant_id uuid not null, id int not null, primary key (tenant_id, id)); alter table fresh rename to fresher;',
    'create table bare (tenant_id uuid not null, id int not null);',
    'alter table bare add primary key (tenant_id, id);',
  ];
  for (const [index, text] of harmless.entries())
    expect([text, await skipped(4 + index, text)]).toEqual([text, 0]);
  const followed = [
    'alter table ren rename to other;',
    'alter table ren drop column id;',
    'alter table ren alter column id type bigint;',
    'alter table ren drop constraint ren_key;',
    'alter table uni drop constraint uni_once;',
    'alter table uni add primary key (tenant_id, code);',
    '-- tenantctl: no-transaction\nalter table ren rename to other;',
    'create table if not exists early (tenant_id uuid primary key); alter table if exists ren rename v to x;',
  ];
  for (const text of followed) expect([text, await skipped(10, text)]).toEqual([text, 1]);
  await write(await fleet.show('acme'), 1);
}, 90_000);
