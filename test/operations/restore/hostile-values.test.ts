import { expect, test } from 'vitest';
import type { Tenant } from '../../../src/core/tenant.js';
import { provisionTenant } from '../../../src/operations/provision.js';
import { replaceTenant } from '../../../src/operations/restore/replace.js';
import { directoryOf, numbered } from '../../engine/ledger/directory.js';
import { useOtherMajor } from '../../support/other-major.js';
import { query, useServer } from '../../support/server.js';
import { AWKWARD_ROWS } from '../export/awkward.js';
import { type ExportingFleet, exportingFleet } from '../export/fleet.js';
import { type RestoringFleet, restoringFleet } from './fleet.js';
import { restoreTenant } from '../../../src/operations/restore/restore.js';

const server = useServer();
const other = useOtherMajor();

/** Rows and hash of each table, as an export tells them; one that holds nothing but the key has another hash with another one. */
async function sums(given: ExportingFleet, id: string, kinds: readonly string[] = ['tenant']) {
  const { manifest } = await given.export(id);
  return Object.fromEntries(
    manifest.tables
      .filter(({ kind }) => kinds.includes(kind))
      .map(({ table, rows, hash }) => [table, table === 'no_column' ? `${rows}` : `${rows} ${hash}`]),
  );
}

test.each([
  ['csv', false],
  ['ndjson', true],
] as const)(
  'whatever is hard to write down comes back from %s (gzip: %s) in every tier',
  async (format, gzip) => {
    const given = await exportingFleet(server.current);
    const acme = await given.tenant('acme', 'pool');
    await given.tenant('beside', 'pool');
    const [before, beside] = [await sums(given, 'acme'), await sums(given, 'beside')];
    const { directory } = await given.export('acme', { format, gzip });
    for (const tier of ['schema', 'database'] as const) {
      const id = `to-${tier}`;
      await restoreTenant(given.fleet, { directory, id, tier });
      expect(await sums(given, id)).toEqual(before);
    }
    await given.inHome(
      acme,
      `update customer set note = 'changed' where tenant_id = $t; delete from everything where tenant_id = $t`,
    );
    await replaceTenant(given.fleet, { directory, into: 'acme' });
    expect(await sums(given, 'acme')).toEqual(before);
    expect(await sums(given, 'beside')).toEqual(beside);
  },
);

test.each(['there', 'back'] as const)(
  'an export goes to a server of another major version: %s',
  async (way) => {
    const servers = { main: server.current, second: other.current };
    const given = await exportingFleet(server.current, {
      clusters: {
        second: {
          name: 'second',
          url: servers.second.adminUrl('postgres'),
          app: { host: '127.0.0.1', port: servers.second.port },
          labels: {},
          region: null,
          maxConnections: 20,
          maxPerDatabase: 8,
          pools: {},
          schemaDatabase: 'app_second',
        },
      },
    });
    const { appRole } = given.settings.tenancy;
    await query(servers.second.adminUrl('postgres'), `create role ${appRole} nologin noinherit`);
    await query(servers.second.adminUrl('postgres'), `grant ${appRole} to current_user`);
    const [from, to] = way === 'there' ? ['main', 'second'] : ['second', 'main'];
    const { tenant } = await provisionTenant(given.fleet, { id: 'acme', tier: 'schema', cluster: from });
    await query(
      servers[from as 'main'].superuserUrl(tenant.database),
      `set search_path = "${tenant.schema}", extensions; ${AWKWARD_ROWS.replaceAll('$t', `'${tenant.key}'::uuid`)}`,
    );
    const before = await sums(given, 'acme');
    const { directory } = await given.export('acme');
    await restoreTenant(given.fleet, { directory, id: 'moved', tier: 'schema', cluster: to as string });
    expect(await sums(given, 'moved')).toEqual(before);
  },
);

async function fill({ database, schema, key }: Tenant, rows: string): Promise<void> {
  await query(
    server.current.superuserUrl(database),
    `set search_path = "${schema}", extensions; ${rows.replaceAll('$t', `'${key.replaceAll("'", "''")}'`)}`,
  );
}

test('a key of text, with quotes, in a column of mixed case; tables that inherit', async () => {
  const given = await exportingFleet(server.current, {
    tenancy: { columnType: 'text', column: 'Org Id' },
    migrations: directoryOf(
      numbered(
        `create table "Plan" ("Org Id" text not null, "Id" int not null, "Owner" text not null, primary key ("Org Id", "Id"));
         create table "Plan Part" ("Org Id" text not null, "Plan" int not null, primary key ("Org Id", "Plan"),
           foreign key ("Org Id", "Plan") references "Plan" ("Org Id", "Id"));
         create table base ("Org Id" text not null, id int not null, primary key ("Org Id", id));
         create table derived (extra text, primary key ("Org Id", id)) inherits (base);`,
      ),
    ),
  });
  const { tenant } = await provisionTenant(given.fleet, {
    id: 'acme',
    tier: 'pool',
    key: String.raw`O'Brien \ "%" ä`,
  });
  const rows = `insert into "Plan" values ($t, 1, $t), ($t, 2, 'x'); insert into "Plan Part" values ($t, 1);
    insert into base values ($t, 1); insert into derived values ($t, 2, 'e'), ($t, 3, null)`;
  await fill(tenant, rows);
  const { tenant: beside } = await provisionTenant(given.fleet, { id: 'beside', tier: 'pool' });
  await fill(beside, rows);
  const [before, others] = [await sums(given, 'acme'), await sums(given, 'beside')];
  expect(before).toMatchObject({ base: expect.stringMatching(/^1 /) as string });
  const { directory } = await given.export('acme');
  for (const tier of ['pool', 'schema'] as const) {
    await restoreTenant(given.fleet, { directory, id: `to-${tier}`, tier });
    expect(await sums(given, `to-${tier}`)).toEqual(before);
  }
  await fill(
    tenant,
    'delete from only base; delete from derived where "Org Id" = $t'.replace(
      'only base',
      'only base where "Org Id" = $t',
    ),
  );
  await replaceTenant(given.fleet, { directory, into: 'acme' });
  expect(await sums(given, 'acme')).toEqual(before);
  expect(await sums(given, 'beside')).toEqual(others);
});

test('two restores from one export come into a pool at once', async () => {
  const given: RestoringFleet = await restoringFleet(server.current);
  const original = await given.tenant('acme', 'pool', 100);
  const { directory } = await given.exported('acme');
  const expected = await given.rows(original);
  const restored = await Promise.all(
    ['one', 'two', 'three'].map((id) => given.restore({ directory, id, tier: 'pool' }, given.another())),
  );
  for (const { tenant } of restored) expect(await given.rows(tenant)).toEqual(expected);
  const left = await query(
    server.current.superuserUrl(original.database),
    `select name from tenantctl.set_aside union all select tgname from pg_trigger where pg_get_triggerdef(oid) like '%tenantctl.moving%' and tgname not like 'tenantctl%'`,
  );
  expect(left).toEqual([]);
});
