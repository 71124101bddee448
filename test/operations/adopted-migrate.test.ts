import { expect, test } from 'vitest';
import { rollback } from '../../src/operations/rollback.js';
import { useServer } from '../support/server.js';
import { writeFiles } from '../engine/ledger/directory.js';
import { type AdoptedFleet, adoptedFleet, membershipText } from './adopted-fleet.js';

const server = useServer();

/** Who owns what is in the home of a tenant. */
async function ownersIn(made: AdoptedFleet, tenant: string): Promise<string[]> {
  const { database, schema } = made.homeOf(tenant).placement;
  const rows = await made.inside<{ owner: string }>(
    database,
    `select distinct pg_get_userbyid(c.relowner) as owner from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where n.nspname = $1`,
    [schema],
  );
  return rows.map(({ owner }) => owner);
}

const ledgerOf = (made: AdoptedFleet, tenant: string) =>
  made.inside<{ id: number; by: string }>(
    made.homeOf(tenant).placement.database,
    `select l.id, l.applied_by as by from tenantctl.ledger l join tenantctl.placement p on p.unit = l.unit
      where p.tenant = $1 and l.rolled_back_at is null and l.state = 'applied' and l.id > 2 order by 1`,
    [tenant],
  );

test('a migration makes what the owner of the tables would have made, and the ledger is written by the administrator', async () => {
  const made = await adoptedFleet(server.current, { databases: ['umbrella'] });
  made.add(
    'create table note (id serial primary key, tenant_id uuid, text text);',
    'alter table customer add column email text;\nalter table customer add column phone text;',
  );
  const report = await made.migrate();
  expect(report.failures).toEqual([]);
  expect(report.totals).toMatchObject({ succeeded: 3, failed: 0 });
  for (const tenant of ['acme', 'globex', 'umbrella']) {
    const { database, schema } = made.homeOf(tenant).placement;
    expect(await ownersIn(made, tenant)).toEqual([made.owner]);
    expect(await ledgerOf(made, tenant)).toEqual([3, 4].map((id) => ({ id, by: 'tenantctl_admin' })));
    await made.asApp(database, `insert into "${schema}".note (text) values ('by default privileges')`);
  }
  expect(await made.findings()).toEqual([]);
});

test('statements that run alone, batches and both ways back are done by the owner as well', async () => {
  const made = await adoptedFleet(server.current, { schemas: ['acme'], databases: ['umbrella'] });
  writeFiles(made.directory, {
    '0003_index.sql':
      '-- tenantctl: no-transaction\ncreate index concurrently bill_cents on bill (cents);\ncreate table alone (id int);',
    'down/0003_index.sql':
      '-- tenantctl: no-transaction\ndrop index concurrently bill_cents;\ndrop table alone;',
    '0004_fill.sql':
      '-- tenantctl: batched\nupdate bill set cents = 100 where id = (select id from bill where cents <> 100 limit 1);',
    'down/0004_fill.sql': 'update bill set cents = 0;',
    '0005_late.sql': 'create table late (id int, tenant_id uuid);',
    'down/0005_late.sql': 'drop table late;',
  });
  const report = await made.migrate();
  expect(report.failures).toEqual([]);
  for (const tenant of ['acme', 'umbrella']) {
    const { database, schema } = made.homeOf(tenant).placement;
    expect(await ownersIn(made, tenant)).toEqual([made.owner]);
    expect((await ledgerOf(made, tenant)).map(({ id }) => id)).toEqual([3, 4, 5]);
    const cents = await made.inside(database, `select distinct cents from "${schema}".bill`);
    expect(cents).toEqual([{ cents: 100 }]);
  }
  const back = await rollback(made.fleet, {
    select: [],
    dryRun: false,
    to: '0002_step',
    allowDataLoss: true,
    wait: false,
  });
  expect(back).toMatchObject({ failures: [] });
  for (const tenant of ['acme', 'umbrella']) expect(await ledgerOf(made, tenant)).toEqual([]);
});

test('an error in a file says where, and leaves the session as it was', async () => {
  const made = await adoptedFleet(server.current, { schemas: ['acme'] });
  made.add(
    'create table fine (id int);\nalter table customer add column ümläut int;\nalter table nowhere add column x int;',
  );
  const report = await made.migrate();
  expect(report.failures).toMatchObject([
    { unit: 'schema:acme', code: 'MIGRATION_FAILED', sqlstate: '42P01', line: 3 },
  ]);
  expect(await ledgerOf(made, 'acme')).toEqual([]);
});

test('an administrator who may not act as the owner is told the grant', async () => {
  const made = await adoptedFleet(server.current, { schemas: ['acme'], member: false });
  made.add(
    'create table note (id int);',
    '-- tenantctl: no-transaction\ncreate index concurrently on_note on note (id);',
  );
  const report = await made.migrate();
  expect(report.failures).toMatchObject([{ unit: 'schema:acme', code: 'OWNER_NOT_ASSUMABLE' }]);
  expect(report.failures[0]?.message).toContain(made.owner);
  await made.inside('postgres', await membershipText(server.current, made.owner, 'tenantctl_admin'));
  expect((await made.migrate()).failures).toEqual([]);
  expect(await ownersIn(made, 'acme')).toEqual([made.owner]);
});
