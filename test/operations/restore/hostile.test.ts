import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { ExportManifest } from '../../../src/core/export-manifest.js';
import type { Tenant } from '../../../src/core/tenant.js';
import { provisionTenant } from '../../../src/operations/provision.js';
import { replaceTenant } from '../../../src/operations/restore/replace.js';
import { directoryOf, failureOf, numbered } from '../../engine/ledger/directory.js';
import type { FleetOverrides } from '../../support/fleet.js';
import { query, useServer } from '../../support/server.js';
import { ZOO } from '../moves/zoo.js';
import { type RestoringFleet, restoringFleet } from './fleet.js';

const server = useServer();

/** A fleet of this schema. */
function fleetWith(sql: string, overrides: FleetOverrides = {}): Promise<RestoringFleet> {
  return restoringFleet(server.current, { migrations: directoryOf(numbered(sql)), ...overrides });
}

/** Makes a tenant with rows; `$t` stands for its key. */
async function filled(
  { fleet }: RestoringFleet,
  id: string,
  tier: Tenant['tier'],
  rows: string,
): Promise<Tenant> {
  const { tenant } = await provisionTenant(fleet, { id, tier, cluster: 'main' });
  await inHome(tenant, rows);
  return tenant;
}

async function inHome({ database, schema, key }: Tenant, statements: string): Promise<void> {
  await query(
    server.current.superuserUrl(database),
    `begin; set local search_path = "${schema}", extensions; ${statements.replaceAll('$t', `'${key}'`)}; commit`,
  );
}

/** What a query finds in the home, as the superuser sees it. */
function found<Row extends object>({ database, schema, key }: Tenant, select: string): Promise<Row[]> {
  return query<Row>(
    server.current.superuserUrl(database),
    select.replaceAll('$s', `"${schema}"`).replaceAll('$t', `'${key}'`),
  );
}

async function sums(given: RestoringFleet, id: string) {
  const { manifest } = await given.exported(id);
  return Object.fromEntries(manifest.tables.map(({ table, rows, hash }) => [table, `${rows} ${hash}`]));
}

describe('the key of a tenant', () => {
  test('alone in a table comes back in every tier as the key of the new one', async () => {
    const given = await fleetWith(
      `create table account (tenant_id uuid primary key);
       create table project (tenant_id uuid not null references account, id int not null, primary key (tenant_id, id));`,
    );
    await filled(
      given,
      'acme',
      'pool',
      'insert into account values ($t); insert into project values ($t, 1), ($t, 2)',
    );
    const { directory } = await given.exported('acme');
    for (const tier of ['pool', 'schema'] as const) {
      const { tenant } = await given.restore({ directory, id: `to-${tier}`, tier });
      expect(await found(tenant, 'select tenant_id as key from $s.account where tenant_id = $t')).toEqual([
        { key: tenant.key },
      ]);
      await replaceTenant(given.fleet, { directory, into: tenant.id });
    }
  });

  test('is new also in columns that name it over two tables', async () => {
    const given = await fleetWith(
      `create table list (tenant_id uuid not null, id int not null, primary key (tenant_id, id));
       create table entry (owner uuid not null, list int not null, id int not null, primary key (owner, id),
         foreign key (owner, list) references list (tenant_id, id));
       create table remark (of_owner uuid not null, entry int not null, id int not null, primary key (of_owner, id),
         foreign key (of_owner, entry) references entry (owner, id));`,
    );
    await filled(
      given,
      'acme',
      'pool',
      'insert into list values ($t, 1); insert into entry values ($t, 1, 5); insert into remark values ($t, 5, 7)',
    );
    const { directory } = await given.exported('acme');
    for (const tier of ['pool', 'schema'] as const) {
      const { tenant } = await given.restore({ directory, id: `to-${tier}`, tier });
      expect(await found(tenant, 'select id from $s.remark where of_owner = $t')).toEqual([{ id: 7 }]);
    }
  });
});

describe('a shared table with a row for each tenant', () => {
  const TENANTS = `create table tenants (id uuid primary key, name text not null);
    create table doc (tenant_id uuid not null references tenants, id int not null, primary key (tenant_id, id));
    create table grant_to (tenant_id uuid not null, other uuid not null references tenants, primary key (tenant_id, other));`;
  const ROWS = `insert into tenants values ($t, 'Acme'); insert into doc values ($t, 1); insert into grant_to values ($t, $t)`;

  test('gets that of the new tenant in a home of its own', async () => {
    const given = await fleetWith(TENANTS);
    await filled(given, 'acme', 'pool', ROWS);
    const { directory } = await given.exported('acme');
    const { tenant } = await given.restore({ directory, id: 'new', tier: 'schema' });
    const select = `select name, (select count(*)::int from $s.doc where tenant_id = t.id) as docs,
      (select count(*)::int from $s.grant_to where other = t.id) as grants from $s.tenants t where id = $t`;
    expect(await found(tenant, select)).toEqual([{ name: 'Acme', docs: 1, grants: 1 }]);
  });

  test('must have it before the rows come into a pool, and until then nothing is written down', async () => {
    const given = await fleetWith(TENANTS);
    const acme = await filled(given, 'acme', 'pool', ROWS);
    const { directory } = await given.exported('acme');
    const key = 'bbbbbbbb-0000-4000-8000-000000000001';
    const request = { directory, id: 'new', tier: 'pool', key } as const;
    const failure = await failureOf(given.restore(request));
    expect(failure).toMatchObject({
      code: 'REFERENCES_MISSING',
      exit: 6,
      hint: expect.stringContaining('--tenant-key') as string,
    });
    expect(failure.message).toContain(key);
    await failureOf(given.show('new'));
    await inHome(acme, `insert into tenants values ('${key}', 'New')`);
    await given.restore(request);
    expect(await found(acme, `select id from $s.doc where tenant_id = '${key}'`)).toEqual([{ id: 1 }]);
  });
});

test('rows of a home of its own that may refer to nothing are replaced with the others', async () => {
  const given = await fleetWith(
    `create table invoice (tenant_id uuid not null, id int primary key);
     create table attachment (id int primary key, invoice int references invoice, name text);`,
  );
  const rows = `insert into invoice values ($t, 1); insert into attachment values (1, 1, 'a'), (2, null, 'b')`;
  const tenant = await filled(given, 'acme', 'schema', rows);
  const before = await sums(given, 'acme');
  const { directory } = await given.exported('acme');
  await inHome(
    tenant,
    `update attachment set name = 'overwritten' where id = 1; delete from attachment where id = 2;
     insert into attachment values (3, 1, 'late')`,
  );
  await replaceTenant(given.fleet, { directory, into: 'acme' });
  expect(await sums(given, 'acme')).toEqual(before);
});

describe('in a pool', () => {
  test('replacing rows takes none of another tenant’s with it', async () => {
    const given = await fleetWith(
      `create table parent (tenant_id uuid not null, id int primary key);
       create table child (tenant_id uuid not null, id int primary key, parent int not null references parent on delete cascade);`,
    );
    const acme = await filled(given, 'acme', 'pool', 'insert into parent values ($t, 1)');
    // A mistake of the application’s: the row of one tenant hangs on that of another.
    const beside = await filled(given, 'beside', 'pool', 'insert into child values ($t, 1, 1)');
    const { directory } = await given.exported('acme');
    await inHome(acme, 'insert into parent values ($t, 2)');
    const failure = await failureOf(replaceTenant(given.fleet, { directory, into: 'acme' }));
    expect(failure).toMatchObject({ code: 'RESTORE_SIDE_EFFECT', exit: 8 });
    expect(await found(beside, 'select id from $s.child where tenant_id = $t')).toEqual([{ id: 1 }]);
    expect((await given.show('acme')).status).toBe('active');
  });

  test('replacing rows takes none of a table outside it', async () => {
    const given = await fleetWith('create table parent (tenant_id uuid not null, id int primary key);');
    const acme = await filled(given, 'acme', 'pool', 'insert into parent values ($t, 1)');
    await inHome(
      acme,
      `create schema report; create table report.seen (parent int references parent on delete cascade);
       insert into report.seen values (1)`,
    );
    const { directory } = await given.exported('acme');
    await inHome(acme, 'insert into parent values ($t, 2)');
    const failure = await failureOf(replaceTenant(given.fleet, { directory, into: 'acme' }));
    expect(failure).toMatchObject({ code: 'RESTORE_SIDE_EFFECT', exit: 8 });
    expect(await found(acme, 'select parent from report.seen')).toEqual([{ parent: 1 }]);
  });

  test('a policy of the user’s that the rows break is named, and none of them stays', async () => {
    const given = await fleetWith(
      'create table note (tenant_id uuid not null, id int not null, word text, primary key (tenant_id, id));',
    );
    await filled(given, 'acme', 'schema', `insert into note values ($t, 1, 'secret')`);
    const { directory } = await given.exported('acme');
    const beside = await filled(given, 'beside', 'pool', `insert into note values ($t, 1, 'open')`);
    await inHome(
      beside,
      `create policy open on note as restrictive using (true) with check (word <> 'secret');
       alter table note force row level security`,
    );
    const failure = await failureOf(given.restore({ directory, id: 'new', tier: 'pool' }));
    expect(failure).toMatchObject({ code: 'RESTORE_ROW_REFUSED', exit: 6 });
    expect(failure.message).toContain('note');
    expect(await found(beside, 'select id from $s.note')).toEqual([{ id: 1 }]);
  });
});

test('a file that is changed after the export was verified is not taken in', async () => {
  const given = await restoringFleet(server.current, { migrations: directoryOf(numbered(...ZOO)) });
  const tenant = await given.tenant('acme', 'schema', 5);
  await inHome(tenant, `insert into region values ('mars', 'Mars')`);
  const { directory, manifest } = await given.exported('acme');
  const { file } = manifest.tables.find(
    ({ table }) => table === 'region',
  ) as ExportManifest['tables'][number];
  const { emit } = given.fleet.options;
  Object.assign(given.fleet.options, {
    emit: (event: Parameters<typeof emit>[0]) => {
      if (event.type === 'unit.step' && event.step.startsWith('table region'))
        appendFileSync(join(directory, file), 'moon,Moon\n');
      emit(event);
    },
  });
  const failure = await failureOf(given.restore({ directory, id: 'new', tier: 'schema' }));
  expect(failure).toMatchObject({ code: 'EXPORT_DAMAGED', exit: 8 });
  expect(failure.message).toContain(file);
  expect((await given.show('new')).status).toBe('provisioning');
});

test('documents of a domain come back from NDJSON as they were', async () => {
  const given = await fleetWith(
    `create domain settings as jsonb;
     create table t (tenant_id uuid not null, id int not null, s settings, primary key (tenant_id, id));`,
  );
  await filled(
    given,
    'acme',
    'schema',
    `insert into t values ($t, 1, '"5"'), ($t, 2, '"word"'), ($t, 3, null), ($t, 4, '{"a": [1, "\\u00e9"]}'), ($t, 5, '7'), ($t, 6, 'null')`,
  );
  const before = await sums(given, 'acme');
  const { directory } = await given.exported('acme', { format: 'ndjson' });
  for (const tier of ['pool', 'schema'] as const) {
    const { tenant } = await given.restore({ directory, id: `to-${tier}`, tier });
    expect(await sums(given, tenant.id)).toEqual(before);
  }
});

test('numbers from a sequence that no column owns do not come twice', async () => {
  const given = await fleetWith(
    `create sequence receipt_no;
     create table receipt (tenant_id uuid not null, no bigint not null, primary key (tenant_id, no));`,
  );
  await filled(
    given,
    'acme',
    'pool',
    `insert into receipt select $t, nextval('receipt_no') from generate_series(1, 20)`,
  );
  const { directory } = await given.exported('acme');
  const { tenant } = await given.restore({ directory, id: 'own', tier: 'schema' });
  await inHome(tenant, `insert into receipt values ($t, nextval('receipt_no'))`);
  expect(await found(tenant, 'select max(no)::int as no from $s.receipt')).toEqual([{ no: 21 }]);
});

test('a manifest that lacks a part of it is refused, and is no bug', async () => {
  const given = await fleetWith('create table t (tenant_id uuid not null, id int primary key);');
  await filled(given, 'acme', 'schema', 'insert into t values ($t, 1)');
  const { directory } = await given.exported('acme');
  const file = join(directory, 'manifest.json');
  const whole = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
  for (const part of ['leftOut', 'home', 'migration', 'circles', 'snapshot', 'server']) {
    const { [part]: _gone, ...rest } = whole;
    writeFileSync(file, JSON.stringify(rest));
    const failure = await failureOf(given.restore({ directory, id: 'new', tier: 'schema' }));
    expect(failure).toMatchObject({ code: 'EXPORT_DAMAGED', exit: 8 });
    expect(failure.facts['differences']).toContainEqual(
      expect.objectContaining({ file: 'manifest.json', problem: 'invalid' }),
    );
  }
});
