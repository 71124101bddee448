import { expect, test } from 'vitest';
import { rollback } from '../../src/operations/rollback.js';
import { useServer } from '../support/server.js';
import { writeFiles } from '../engine/ledger/directory.js';
import { type AdoptedFleet, adoptedFleet } from './adopted-fleet.js';
import { codeOf } from './fleets.js';

const server = useServer();

const recorded = async (made: AdoptedFleet, tenant: string): Promise<string[]> => {
  const { database, schema } = made.homeOf(tenant).placement;
  const rows = await made.inside<{ version: string }>(
    database,
    `select version from "${schema}".schema_migrations order by 1`,
  );
  return rows.map(({ version }) => version);
};

const back = (made: AdoptedFleet, to: string) =>
  rollback(made.fleet, { select: [], dryRun: false, to, allowDataLoss: true, wait: false });

test("the other tool's ledger has a row for each file in the very transaction that applied it, and loses it on the way back", async () => {
  const made = await adoptedFleet(server.current, { databases: ['umbrella'], dualWrite: true });
  writeFiles(made.directory, {
    '0003_step.sql': 'create table third (id int);',
    'down/0003_step.sql': 'drop table third;',
    '0004_index.sql': '-- tenantctl: no-transaction\ncreate index concurrently bill_cents on bill (cents);',
    'down/0004_index.sql': '-- tenantctl: no-transaction\ndrop index concurrently bill_cents;',
    '0005_fill.sql':
      '-- tenantctl: batched\nupdate bill set cents = 100 where id = (select id from bill where cents <> 100 limit 1);',
    'down/0005_fill.sql': 'update bill set cents = 0;',
  });
  expect((await made.migrate()).failures).toEqual([]);
  for (const tenant of ['acme', 'globex', 'umbrella'])
    expect(await recorded(made, tenant)).toEqual(['0001', '0002', '0003', '0004', '0005']);
  expect(await back(made, '0003_step')).toMatchObject({ failures: [] });
  expect(await recorded(made, 'umbrella')).toEqual(['0001', '0002', '0003']);
  expect(await back(made, '0002_step')).toMatchObject({ failures: [] });
  expect(await recorded(made, 'acme')).toEqual(['0001', '0002']);
});

test('a file that fails leaves no row in either ledger', async () => {
  const made = await adoptedFleet(server.current, { schemas: ['acme'], dualWrite: true });
  made.add('create table third (id int);', 'alter table nowhere add column x int;');
  expect((await made.migrate()).failures).toMatchObject([{ code: 'MIGRATION_FAILED', sqlstate: '42P01' }]);
  expect(await recorded(made, 'acme')).toEqual(['0001', '0002', '0003']);
});

test('a ledger that has vanished is named, and nothing of the migration is kept', async () => {
  const made = await adoptedFleet(server.current, { schemas: ['acme'], dualWrite: true });
  await made.inside(made.database, 'drop table "Legacy acme".schema_migrations');
  made.add('create table third (id int);');
  expect((await made.migrate()).failures).toMatchObject([{ unit: 'schema:acme', code: 'TOOL_LEDGER_GONE' }]);
  expect(await made.inside(made.database, `select from pg_tables where tablename = 'third'`)).toEqual([]);
});

test('a file whose row cannot be told is refused before anything runs', async () => {
  const made = await adoptedFleet(server.current, {
    dualWrite: true,
    ledger: { tool: 'drizzle', schema: 'public', table: '__drizzle_migrations' },
  });
  made.add('create table third (id int);');
  expect(await codeOf(made.migrate())).toBe('LEDGER_NOT_TELLABLE');
  expect(await made.inside(made.database, `select from pg_tables where tablename = 'third'`)).toEqual([]);
});
