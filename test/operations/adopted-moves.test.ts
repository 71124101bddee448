import { expect, test } from 'vitest';
import { listUnits } from '../../src/engine/catalog/units.js';
import { readFingerprints } from '../../src/engine/shape/read.js';
import { checkDrift } from '../../src/operations/check/drift.js';
import { provisionTenant } from '../../src/operations/provision.js';
import { promote } from '../../src/operations/moves/promote.js';
import { movesComplete, movesUndo } from '../../src/operations/moves/verbs.js';
import { exportTenant } from '../../src/operations/export.js';
import { newFolder } from '../support/folder.js';
import { useServer } from '../support/server.js';
import { type AdoptedFleet, adoptedFleet } from './adopted-fleet.js';

const server = useServer();
const now = { dryRun: false };

/** The names of the tables in a schema. */
async function tables(made: AdoptedFleet, database: string, schema: string): Promise<string[]> {
  const rows = await made.inside<{ name: string }>(
    database,
    `select tablename::text as name from pg_tables where schemaname = $1 order by 1`,
    [schema],
  );
  return rows.map(({ name }) => name);
}

const adoptedUnits = async (made: AdoptedFleet): Promise<string[]> =>
  (await made.fleet.catalog((catalog) => listUnits(catalog, []))).flatMap(({ id, adopted }) =>
    adopted ? [`${id} ${adopted.owner}`] : [],
  );

test('a tenant whose tables the administrator has no rights to is not moved, and the grant is said', async () => {
  const made = await adoptedFleet(server.current, { schemas: ['acme'], member: false });
  const refused = await promote(made.fleet, { id: 'acme', to: 'database' }, now).then(
    () => 'moved',
    (error: { message: string; hint: string }) => `${error.message} ${error.hint}`,
  );
  expect(refused).toContain(`grant "${made.owner}" to "tenantctl_admin"`);
  expect(refused).not.toContain('schema_migrations');
});

test('a tenant moves into a home of ours without the other ledger, and back into its own, which is what it was', async () => {
  const made = await adoptedFleet(server.current, { schemas: ['acme', 'globex'] });
  const { fleet } = made;
  await made.inherit();
  await promote(fleet, { id: 'acme', to: 'database' }, now);
  const there = await made.show('acme');
  expect(await tables(made, there.database, there.schema)).toEqual(['bill', 'customer']);
  const count = await made.inside(there.database, `select count(*)::int as n from "${there.schema}".bill`);
  expect(count).toEqual([{ n: 2 }]);
  expect(await made.asApp(made.database, 'select from "Legacy acme".bill').catch(() => 'shut')).toBe('shut');
  // Both homes are brought to one version, each by its own.
  made.add('create table note (id int primary key);');
  expect((await made.migrate()).failures).toEqual([]);
  const owners = `select distinct tableowner::text as owner from pg_tables where schemaname = 'Legacy acme'`;
  expect(await made.inside(made.database, owners)).toEqual([{ owner: made.owner }]);
  await movesUndo(fleet, 'acme', now);
  expect(await adoptedUnits(made)).toEqual([`schema:acme ${made.owner}`, `schema:globex ${made.owner}`]);
  expect(await made.asApp(made.database, 'select id from "Legacy acme".bill order by 1')).toEqual([
    { id: 1 },
    { id: 2 },
  ]);
  made.add('create table later (id int primary key);');
  expect((await made.migrate()).failures).toEqual([]);
  expect(await made.inside(made.database, owners)).toEqual([{ owner: made.owner }]);
  expect(await made.findings()).toEqual([]);
});

test('a tenant that has moved for good is a tenant like others, whose old home is gone', async () => {
  const made = await adoptedFleet(server.current, { databases: ['umbrella'], schemas: ['acme'] });
  const { fleet } = made;
  await made.inherit();
  for (const [id, to] of [
    ['acme', 'database'],
    ['umbrella', 'schema'],
  ] as const) {
    await promote(fleet, { id, to }, now);
    await movesComplete(fleet, id, now);
    const there = await made.show(id);
    expect(await tables(made, there.database, there.schema)).toEqual(['bill', 'customer']);
  }
  expect(await adoptedUnits(made)).toEqual([]);
  made.add('create table note (id int primary key);');
  expect((await made.migrate()).failures).toEqual([]);
  expect(await made.findings()).toEqual([]);
});

test('an export holds the tables of the tenant, and not those in which a tool keeps what it has done', async () => {
  const made = await adoptedFleet(server.current, { schemas: ['acme'] });
  await made.inherit();
  const report = await exportTenant(made.fleet, { id: 'acme', directory: `${newFolder()}/bag` }, now);
  expect(JSON.stringify(report)).toContain('customer');
  expect(JSON.stringify(report)).not.toContain('schema_migrations');
});

test('homes of another tool and homes of ours have one shape at one version', async () => {
  const made = await adoptedFleet(server.current, { schemas: ['acme'] });
  made.add('create table note (id int primary key);');
  await provisionTenant(made.fleet, { id: 'ours', tier: 'schema' });
  expect((await made.migrate()).failures).toEqual([]);
  const ours = await made.show('ours');
  const { fingerprints } = await made.fleet.managed('main', made.database, (connection) =>
    readFingerprints(connection, [ours.schema, 'Legacy acme']),
  );
  expect(new Set(fingerprints.values()).size).toBe(1);
  const drift = await checkDrift(made.fleet);
  expect(drift.findings).toEqual([]);
});
