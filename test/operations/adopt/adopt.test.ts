import { expect, test } from 'vitest';
import { checkDrift } from '../../../src/operations/check/drift.js';
import { checkIsolation } from '../../../src/operations/check/isolation.js';
import { sql } from '../../../src/pg/sql.js';
import { migrate } from '../../../src/operations/migrate.js';
import { listTenants } from '../../../src/operations/list.js';
import { useServer } from '../../support/server.js';
import { type LegacyFleet, legacyFleet } from './legacy.js';
import { writeFileSync } from 'node:fs';
import path from 'node:path';

const server = useServer();

const states = (report: { units: { unit: string; state: string; taken: string }[] }) =>
  report.units.map(({ unit, state, taken }) => `${unit} ${state} ${taken}`);

async function migrated(made: LegacyFleet) {
  const done = await migrate(made.fleet, { select: [], allowEmpty: false, dryRun: false });
  if ('plan' in done) throw new Error('it was a dry run');
  return done;
}

function addFile(made: LegacyFleet, name: string, text: string): void {
  writeFileSync(path.join(made.directory, `${name}.sql`), `-- migrate:up\n${text}\n\n-- migrate:down\n`);
}

test('units are taken in at the version that their ledger records, and migrated onward together', async () => {
  const made = await legacyFleet(server.current);
  for (const id of ['acme', 'globex', 'initech']) await made.makeSchema(id);
  await made.makeSchema('old', 2);
  await made.makeSchema('old2', 2);
  const rows = ['acme', 'globex', 'initech', 'old', 'old2'].map((id) => ({ id }));
  const preview = await made.dryRun(rows);
  expect(states(preview)).toEqual([
    'schema:acme current adopted',
    'schema:globex current adopted',
    'schema:initech current adopted',
    'schema:old behind adopted',
    'schema:old2 behind adopted',
  ]);
  expect(await made.inside("select from pg_namespace where nspname = 'tenantctl'")).toEqual([]);
  const report = await made.adopt(rows);
  expect(report).toMatchObject({ adopted: 5, existing: 0, refused: [], problems: [] });
  addFile(made, '20240105000000_due', 'alter table bill add column due date;');
  const run = await migrated(made);
  expect(run).toMatchObject({ status: 'succeeded', totals: { succeeded: 5, failed: 0 } });
  const columns = await made.inside<{ n: number }>(
    "select count(*)::int as n from information_schema.columns where table_name = 'bill' and column_name in ('due', 'note')",
  );
  expect(columns).toEqual([{ n: 10 }]);
});

test('the same list again takes in what is new, and says what has disappeared', async () => {
  const made = await legacyFleet(server.current);
  for (const id of ['acme', 'globex']) await made.makeSchema(id);
  await made.adopt([{ id: 'acme' }, { id: 'globex' }]);
  await made.makeSchema('initech');
  await made.asOwner('drop schema globex cascade');
  const again = await made.adopt([{ id: 'acme' }, { id: 'initech' }]);
  expect(again).toMatchObject({ adopted: 1, existing: 1, refused: [], disappeared: ['schema:globex'] });
  const { tenants } = await listTenants(made.fleet, { select: [], limit: 10, after: null });
  expect(tenants.map(({ id, version }) => `${id} ${version?.name}`)).toEqual([
    'acme 20240104000000_backfill',
    'globex 20240104000000_backfill',
    'initech 20240104000000_backfill',
  ]);
});

test('a minority that looks otherwise is refused with the difference, and taken in when its shape is accepted', async () => {
  const made = await legacyFleet(server.current);
  for (const id of ['acme', 'globex', 'initech']) await made.makeSchema(id);
  await made.asOwner('drop index initech.bill_cents');
  const rows = ['acme', 'globex', 'initech'].map((id) => ({ id }));
  const report = await made.adopt(rows);
  expect(report.refused).toEqual([
    {
      unit: 'schema:initech',
      reason: 'it is recorded at 20240104000000_backfill, but differs from 2 others',
      hint: expect.stringContaining('--accept') as string,
      difference: ['index bill_cents is missing'],
    },
  ]);
  const odd = report.shapes.find(({ majority }) => !majority);
  const accepted = await made.adopt(rows, { accept: [odd?.shape ?? ''] });
  expect(accepted).toMatchObject({ adopted: 1, existing: 2, refused: [] });
  expect(await made.adopt(rows)).toMatchObject({ adopted: 0, existing: 3, refused: [] });
});

test('what was accepted of a shape is no fault of later runs, and whatever differs beside it is', async () => {
  const made = await legacyFleet(server.current);
  for (const id of ['acme', 'globex', 'initech']) await made.makeSchema(id);
  await made.asOwner('drop index initech.bill_cents');
  const rows = ['acme', 'globex', 'initech'].map((id) => ({ id }));
  const odd = (await made.dryRun(rows)).shapes.find(({ majority }) => !majority);
  await made.adopt(rows, { accept: [odd?.shape ?? ''] });
  addFile(made, '20240105000000_due', 'alter table bill add column due date;');
  expect(await migrated(made)).toMatchObject({ status: 'succeeded', totals: { succeeded: 3, failed: 0 } });
  expect((await checkDrift(made.fleet)).findings).toEqual([]);
  await made.asOwner('alter table initech.bill add column by_hand text');
  expect((await checkDrift(made.fleet)).findings.map(({ rule }) => rule)).toEqual(['shape-differs']);
  addFile(made, '20240106000000_paid', 'alter table bill add column paid date;');
  const run = await migrated(made);
  expect(run.failures.map(({ unit, message }) => [unit, message])).toEqual([
    ['schema:initech', expect.stringMatching(/: column bill.by_hand is extra$/)],
  ]);
});

test('units without a ledger are placed by their shape, and never where two versions look alike', async () => {
  const made = await legacyFleet(server.current);
  await made.makeSchema('acme', 2);
  await made.makeSchema('globex', 3);
  await made.asOwner('drop table acme.schema_migrations, globex.schema_migrations');
  const report = await made.dryRun([{ id: 'acme' }, { id: 'globex' }]);
  expect(
    report.units.map(({ unit, state, version, reason }) => [unit, state, version?.name ?? reason]),
  ).toEqual([
    ['schema:acme', 'behind', '20240102000000_bill'],
    ['schema:globex', 'no-ledger', 'it has no ledger, and looks like versions 3, 4 of the files'],
  ]);
  const told = await made.adopt([{ id: 'acme' }, { id: 'globex', version: '20240103000000_note' }]);
  expect(told).toMatchObject({ adopted: 2, refused: [] });
});

test('an empty ledger beside tables is that of the tool whose files these are, and is not kept true as if it were whole', async () => {
  const made = await legacyFleet(server.current);
  for (const id of ['acme', 'globex', 'stray']) await made.makeSchema(id);
  await made.asOwner('delete from stray.schema_migrations');
  const unclear = await made.dryRun([{ id: 'stray' }]);
  expect(unclear.refused[0]?.reason).toBe(
    'it has an empty ledger, and looks like versions 3, 4 of the files',
  );
  const report = await made.adopt(
    [{ id: 'acme' }, { id: 'globex' }, { id: 'stray', version: '20240104000000_backfill' }],
    { dualWrite: true },
  );
  expect(report.units.map(({ unit, tool, version }) => [unit, tool, version?.name])).toEqual([
    ['schema:acme', 'dbmate', '20240104000000_backfill'],
    ['schema:globex', 'dbmate', '20240104000000_backfill'],
    ['schema:stray', null, '20240104000000_backfill'],
  ]);
  addFile(made, '20240105000000_due', 'alter table bill add column due date;');
  expect(await migrated(made)).toMatchObject({ status: 'succeeded', totals: { succeeded: 3 } });
  const counts = await made.inside(
    `select (select count(*)::int from acme.schema_migrations) as acme, (select count(*)::int from stray.schema_migrations) as stray`,
  );
  expect(counts).toEqual([{ acme: 5, stray: 0 }]);
});

test('a home that a tenant has come back to is judged by its role of today, not by that of former days', async () => {
  const made = await legacyFleet(server.current);
  await made.makeSchema('acme');
  await made.adopt([{ id: 'acme', role: made.owner }]);
  await made.fleet.catalog(async (catalog) => {
    await catalog.execute(sql`update tenantctl_catalog.placements set until = now() where tenant = 'acme'`);
    await catalog.execute(sql`
      insert into tenantctl_catalog.placements (tenant, epoch, tier, cluster, database, schema, role, unit)
      select tenant, 2, tier, cluster, database, schema, ${made.app}, unit
        from tenantctl_catalog.placements where tenant = 'acme'`);
  });
  const { findings } = await checkIsolation(made.fleet);
  expect(findings.map(({ rule }) => rule)).not.toContain('tenant-crosses');
});

test('dual write does not end without a word', async () => {
  const made = await legacyFleet(server.current);
  await made.makeSchema('acme');
  const told = () =>
    made.events.filter((event) => event.type === 'notice' && event.code === 'DUAL_WRITE_ENDS').length;
  await made.adopt([{ id: 'acme' }], { dualWrite: true });
  await made.adopt([{ id: 'acme' }], { dualWrite: true });
  expect(told()).toBe(0);
  await made.dryRun([{ id: 'acme' }]);
  expect(told()).toBe(1);
});

test('tenants that a pool had before are not counted among those that are taken in', async () => {
  const made = await legacyFleet(server.current);
  await made.makeSchema('pooled');
  const [pool] = Object.values(made.settings.clusters['main']?.pools ?? {});
  Object.assign(pool ?? {}, { database: made.database, schema: 'pooled', rls: 'observe' });
  Object.assign(made.settings.tenancy, { appRole: made.app });
  const row = (n: number) => ({
    id: `tenant-${n}`,
    tier: 'pool' as const,
    schema: 'pooled',
    key: `00000000-0000-4000-8000-00000000000${n}`,
  });
  expect(await made.adopt([row(1), row(2)])).toMatchObject({ adopted: 1, tenants: 2 });
  expect(await made.adopt([row(1), row(2), row(3)])).toMatchObject({
    adopted: 1,
    tenants: 1,
    units: [{ tenants: 3 }],
  });
  expect(await made.adopt([row(3)])).toMatchObject({ adopted: 0, existing: 1, tenants: 0 });
});
