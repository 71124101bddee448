import { appendFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { FaultPoint } from '../../../src/core/faults.js';
import { parsePublicKey, generateSigningKey, parseSigningKey } from '../../../src/core/signature.js';
import { Fleet } from '../../../src/engine/context.js';
import { migrate } from '../../../src/operations/migrate.js';
import { provisionTenant } from '../../../src/operations/provision.js';
import { planRestore } from '../../../src/operations/restore/plan.js';
import { restoreTenant } from '../../../src/operations/restore/restore.js';
import { directoryOf, failureOf, numbered, writeFiles } from '../../engine/ledger/directory.js';
import { dyingFleet } from '../../engine/tiers/support.js';
import { newFleet } from '../../support/fleet.js';
import { newFolder } from '../../support/folder.js';
import { query, useServer } from '../../support/server.js';
import { ZOO } from '../moves/zoo.js';
import { TIERS, restoringFleet } from './fleet.js';

const server = useServer();

const POINTS: FaultPoint[] = [
  'restore.recorded',
  'restore.created',
  'restore.filled',
  'restore.opened',
  'restore.activated',
];

test.each(
  TIERS.map(
    (tier) => [tier, [...POINTS, ...(tier === 'pool' ? [] : ['restore.migrated' as const])]] as const,
  ),
)(
  'a restore into tier %s that dies anywhere is finished by the same call, and by no other',
  async (tier, points) => {
    const given = await restoringFleet(server.current);
    const source = await given.tenant('acme', 'schema', 20);
    const { directory, manifestSha256 } = await given.exported('acme');
    for (const point of points) {
      const id = point.replace('restore.', 'at-');
      const request = { directory, id, tier };
      await expect(restoreTenant(dyingFleet(given.fleet, point), request)).rejects.toThrow(
        `died at ${point}`,
      );
      if (point !== 'restore.activated') {
        expect((await given.show(id)).status).toBe('provisioning');
        const provisioned = await failureOf(provisionTenant(given.fleet, { id, tier }));
        expect(provisioned).toMatchObject({ code: 'TENANT_RESTORING', exit: 5 });
        expect(provisioned.hint).toContain(`tenantctl restore <folder> --as ${id}`);
      }
      const { tenant } = await given.restore({ directory, id });
      expect(tenant).toMatchObject({ status: 'active', tier });
      expect(await given.rows(tenant)).toEqual(await given.rows(source));
      expect(await given.restore({ directory, id })).toMatchObject({ restored: false });
    }
    const rows = await query<{ restored_from: string }>(
      given.settings.catalogUrl,
      `select distinct restored_from from tenantctl_catalog.tenants where id like 'at-%'`,
    );
    expect(rows).toEqual([{ restored_from: manifestSha256 }]);
  },
);

test.each([
  { format: 'ndjson' as const },
  { format: 'ndjson' as const, gzip: true },
  { format: 'csv' as const, gzip: true },
])('rows as $format, packed: $gzip, come back as they were, whatever they hold', async (how) => {
  const given = await restoringFleet(server.current, {
    migrations: directoryOf(
      numbered(
        ...ZOO,
        `create domain positive as int check (value > 0);
         create type place as (city text, zip text);
         create table odd ("Key ""quoted""" bigint not null primary key, tenant_id uuid not null, "white  space" text, tab text, dots varchar(20),
           big numeric, tiny real, nan float8, day date, at timestamptz, span interval, flags bit(3), pad char(5), doc jsonb, raw json, xs text[],
           home place, n positive, addr inet, r int4range, gone timestamp, nothing text, t time);`,
      ),
    ),
  });
  const { database, schema, key } = await given.tenant('acme', 'pool', 10);
  await query(
    server.current.superuserUrl(database),
    String.raw`insert into "${schema}".odd values
      (1, $1, E'a\nb\r\nc "q", ''s'' \\N', E'\t\\.\\', '\.', 12345678901234567890.000100, 1e-30, 'NaN', '-infinity', '2026-03-29 02:30+01', '-1 mon 3 days 04:05:06.000007',
       B'101', 'ab', '{"a": [1.10, null, "x\"y"], "ü": "😀"}', '{ "b" : 1,  "b": 2 }', array['NULL', null, '', '{}', 'a,b'], row('x, "y"', null), 7, '::1/64', '[1,5)', 'infinity', null, '24:00'),
      (2, $1, '', '\N', '', 'NaN', '-0', '-Infinity', null, null, null, null, null, '"text"', 'null', '{}', null, null, null, 'empty', null, null, null)`,
    [key],
  );
  const { directory, manifest } = await given.exported('acme', how);
  expect(manifest.data).toEqual({ format: how.format, compression: how.gzip === true ? 'gzip' : null });
  for (const tier of ['schema', 'database'] as const) {
    const { verified } = await given.restore({ directory, id: `to-${tier}`, tier });
    expect(verified).toBe(true);
  }
  const failure = await failureOf(given.restore({ directory, id: 'beside', tier: 'pool' }));
  expect(failure).toMatchObject({
    code: 'RESTORE_VALUE_TAKEN',
    facts: { table: 'odd', constraint: 'odd_pkey' },
  });
});

describe('an export that is not what it says', () => {
  test('is refused before anything is made, as is one that another key has signed', async () => {
    const given = await restoringFleet(server.current);
    await given.tenant('acme', 'schema', 3);
    const { directory, manifest } = await given.exported('acme');
    const stranger = parsePublicKey(parseSigningKey(generateSigningKey()).publicKey);
    const unknown = await failureOf(
      given.restore({ directory, id: 'new', tier: 'pool', publicKey: stranger }),
    );
    expect(unknown).toMatchObject({ code: 'EXPORT_DAMAGED', exit: 8 });
    appendFileSync(join(directory, manifest.tables[0]?.file as string), 'x');
    const failure = await failureOf(given.restore({ directory, id: 'new', tier: 'pool' }));
    expect(failure).toMatchObject({ code: 'EXPORT_DAMAGED', exit: 8 });
    expect(await failureOf(given.show('new'))).toMatchObject({ code: 'TENANT_UNKNOWN' });
  });
});

describe('an id', () => {
  test('that lives, is half made or has lived is not taken, nor is the key of another tenant', async () => {
    const given = await restoringFleet(server.current);
    const acme = await given.tenant('acme', 'schema', 3);
    const { directory } = await given.exported('acme');
    expect(await failureOf(given.restore({ directory, tier: 'pool' }))).toMatchObject({
      code: 'TENANT_EXISTS',
      exit: 5,
    });
    const half = dyingFleet(given.fleet, 'provision.recorded');
    await expect(provisionTenant(half, { id: 'half', tier: 'pool' })).rejects.toThrow('died');
    expect(await failureOf(given.restore({ directory, id: 'half', tier: 'pool' }))).toMatchObject({
      code: 'TENANT_EXISTS',
    });
    const key = await failureOf(given.restore({ directory, id: 'new', tier: 'pool', key: acme.key }));
    expect(key).toMatchObject({ code: 'TENANT_KEY_TAKEN' });
    await query(
      given.settings.catalogUrl,
      `update tenantctl_catalog.tenants set status = 'offboarding' where id = 'acme';
       update tenantctl_catalog.tenants set status = 'deleted', deleted_at = now() where id = 'acme'`,
    );
    expect(await failureOf(given.restore({ directory, tier: 'pool' }))).toMatchObject({
      code: 'TENANT_GONE',
      exit: 5,
    });
    expect(
      await failureOf(given.restore({ directory, id: 'new', tier: 'pool', key: acme.key })),
    ).toMatchObject({
      code: 'TENANT_KEY_TAKEN',
    });
    await failureOf(given.show('new'));
  });

  test('is worked on by one restore at a time; another export is not mixed into it', async () => {
    const given = await restoringFleet(server.current);
    await given.tenant('acme', 'schema', 30);
    const { directory } = await given.exported('acme');
    const both = await Promise.allSettled([
      given.restore({ directory, id: 'twin', tier: 'pool' }),
      given.restore({ directory, id: 'twin', tier: 'pool' }, given.another()),
    ]);
    const failed = both.filter(({ status }) => status === 'rejected') as PromiseRejectedResult[];
    for (const { reason } of failed) expect(reason).toMatchObject({ code: 'TENANT_LOCKED', exit: 5 });
    expect(failed.length).toBeLessThan(2);
    expect(await given.rows(await given.show('twin'))).toMatchObject({ customer: 30 });
    const dying = dyingFleet(given.fleet, 'restore.filled');
    await expect(restoreTenant(dying, { directory, id: 'other', tier: 'pool' })).rejects.toThrow('died');
    const { directory: second } = await given.exported('acme');
    expect(await failureOf(given.restore({ directory: second, id: 'other' }))).toMatchObject({
      code: 'TENANT_RESTORING',
    });
  });
});

describe('an export of an older version', () => {
  const LATER = `alter table note add column pinned boolean not null default false;`;

  test('goes into a home of its own and is migrated up there, or stays where it was if so asked', async () => {
    const files = directoryOf(numbered(...ZOO));
    const given = await restoringFleet(server.current, { migrations: files });
    await given.tenant('acme', 'pool', 10);
    const { directory, manifest } = await given.exported('acme');
    writeFiles(files, { '0003_step.sql': LATER });
    const later = given.another();
    for (const tier of ['schema', 'database'] as const) {
      const { tenant } = await given.restore({ directory, id: `up-${tier}`, tier }, later);
      expect(tenant.version).toMatchObject({ id: 3 });
      const stays = await given.restore(
        { directory, id: `at-${tier}`, tier, atExport: true },
        given.another(),
      );
      expect(stays.tenant.version).toEqual(manifest.migration);
    }
    // The pool is still where the export was made.
    const { tenant } = await given.restore({ directory, id: 'beside', tier: 'pool' }, later);
    expect(tenant.version).toEqual(manifest.migration);
  });

  /** A pool that has gone on since one of its tenants was exported, and what is asked of it. */
  async function poolAhead() {
    const files = directoryOf(numbered(...ZOO));
    const given = await restoringFleet(server.current, { migrations: files });
    const original = await given.tenant('acme', 'pool', 10);
    const { directory } = await given.exported('acme');
    writeFiles(files, { '0003_step.sql': LATER });
    const later = given.another();
    await migrate(later, { select: [], allowEmpty: false, dryRun: false });
    const others = await given.othersIn(original, []);
    const request = { directory, id: 'back', tier: 'pool' } as const;
    const passing = async () =>
      query<{ name: string }>(
        server.current.superuserUrl(original.database),
        `select nspname as name from pg_namespace where nspname like '%restoring%' union all
         select rolname from pg_roles where rolname like '%restoring%' union all
         select unit from tenantctl.ledger where unit like '%restoring%'`,
      );
    return { given, later, original, others, request, passing };
  }

  test('goes into a pool that has gone on: migrated up in a schema that nobody sees, of which nothing stays', async () => {
    const { given, later, original, others, request, passing } = await poolAhead();
    const { plan } = await planRestore(later, request);
    expect(plan.steps.join()).toContain('migrate them up there');
    expect(await passing()).toEqual([]);
    const restored = await given.restore(request, later);
    expect(restored).toMatchObject({ verified: true, restored: true, tenant: { version: { id: 3 } } });
    expect(await passing()).toEqual([]);
    const { key } = restored.tenant;
    expect(await given.othersIn(original, [key])).toBe(others);
    const [row] = await query<{ notes: number; pinned: number }>(
      server.current.superuserUrl(original.database),
      `select count(*)::int as notes, count(*) filter (where not pinned)::int as pinned
         from "${original.schema}".note where tenant_id = $1`,
      [key],
    );
    expect(row).toEqual({ notes: 1, pinned: 1 });
    expect(await given.restore(request, given.another())).toMatchObject({ restored: false });
  });

  test.each(['export.written', 'restore.created', 'restore.filled', 'restore.activated'] as const)(
    'that was killed at %s on its way into such a pool is there after the same call, and nothing beside it',
    async (point) => {
      const { given, later, original, others, request, passing } = await poolAhead();
      await expect(given.restore(request, dyingFleet(later, point))).rejects.toThrow('died');
      const { tenant } = await given.restore(request, given.another());
      expect(tenant).toMatchObject({ status: 'active', version: { id: 3 } });
      expect(await passing()).toEqual([]);
      expect(await given.othersIn(original, [tenant.key])).toBe(others);
    },
  );

  test('is refused by a pool that is ahead when it is to stay as it was, and by files that do not know it', async () => {
    const files = directoryOf(numbered(...ZOO, LATER));
    const given = await restoringFleet(server.current, { migrations: directoryOf(numbered(...ZOO)) });
    await given.tenant('acme', 'pool', 5);
    const { directory } = await given.exported('acme');
    const ahead = await restoringFleet(server.current, { migrations: files });
    const stays = { directory, id: 'acme', tier: 'pool', atExport: true } as const;
    const failure = await failureOf(ahead.restore(stays));
    expect(failure).toMatchObject({ code: 'EXPORT_VERSION_DIFFERS', exit: 6 });
    const strange = await restoringFleet(server.current, {
      migrations: directoryOf({ '0001_other.sql': 'create table t (tenant_id uuid not null, id int);' }),
    });
    expect(await failureOf(strange.restore({ directory, id: 'acme', tier: 'schema' }))).toMatchObject({
      code: 'EXPORT_VERSION_UNKNOWN',
      exit: 6,
    });
    await failureOf(strange.show('acme'));
    // Into another fleet that is where the export was made, under the id that it had.
    const { tenant } = await ahead.restore({ directory, tier: 'schema' });
    expect(tenant).toMatchObject({ id: 'acme', version: { id: 3 } });
  });
});

test('the first tenant of a pool may be one that is restored', async () => {
  const given = await restoringFleet(server.current);
  await given.tenant('acme', 'schema', 6);
  const { directory } = await given.exported('acme');
  const { fleet } = await newFleet(server.current, { migrations: directoryOf(numbered(...ZOO)), seed: null });
  expect(await restoreTenant(fleet, { directory, tier: 'pool' })).toMatchObject({ rows: 19, verified: true });
});

test('asked to end, it leaves a pool without a trace and an own home to the same call', async () => {
  const given = await restoringFleet(server.current);
  await given.tenant('acme', 'schema', 6);
  const { directory } = await given.exported('acme');
  const ending = new Fleet(given.settings, { ...given.fleet.options, signal: AbortSignal.abort() });
  for (const tier of TIERS) {
    const request = { directory, id: `to-${tier}`, tier };
    expect(await failureOf(restoreTenant(ending, request))).toMatchObject({
      code: 'RESTORE_INTERRUPTED',
      exit: 7,
    });
  }
  expect(await failureOf(given.show('to-pool'))).toMatchObject({ code: 'TENANT_UNKNOWN' });
  for (const tier of TIERS) await given.restore({ directory, id: `to-${tier}`, tier });
  await ending.close();
});

test('rows of several keys in one home of its own come back as they are there, and are no tenant of a pool', async () => {
  const given = await restoringFleet(server.current);
  const { database, schema } = await given.tenant('acme', 'schema', 3);
  await query(
    server.current.superuserUrl(database),
    `update "${schema}".journal set tenant_id = gen_random_uuid();
     insert into "${schema}".journal (tenant_id, token) values (gen_random_uuid(), gen_random_uuid())`,
  );
  const { directory } = await given.exported('acme');
  const failure = await failureOf(given.restore({ directory, id: 'new', tier: 'pool' }));
  expect(failure).toMatchObject({ code: 'EXPORT_UNLIKE_HOME', exit: 6 });
  expect(failure.message).toContain('table journal: its rows have more than one value of tenant_id');
  expect(await given.restore({ directory, id: 'new', tier: 'schema' })).toMatchObject({ verified: true });
});

test('no seed is run; hooks run once the tenant is active, and again alone when they failed', async () => {
  const wanted = join(newFolder(), 'wanted');
  writeFileSync(wanted, '');
  const given = await restoringFleet(server.current, { hooks: [['test', '-e', wanted]] });
  const source = await given.tenant('acme', 'schema', 4);
  const { directory } = await given.exported('acme');
  rmSync(wanted);
  const failure = await failureOf(given.restore({ directory, id: 'new', tier: 'pool' }));
  expect(failure).toMatchObject({
    code: 'HOOK_FAILED',
    exit: 7,
    hint: expect.stringContaining(`tenantctl restore ${directory} --as new`) as string,
  });
  expect(await given.show('new')).toMatchObject({ status: 'active' });
  expect(await given.rows(await given.show('new'))).toEqual(await given.rows(source));
  writeFileSync(wanted, '');
  expect(await given.restore({ directory, id: 'new' })).toMatchObject({ restored: false });
});

test('a plan tells rows, tables, place and versions, and changes nothing', async () => {
  const files = directoryOf(numbered(...ZOO));
  const given = await restoringFleet(server.current, { migrations: files });
  await given.tenant('acme', 'pool', 10);
  const { directory } = await given.exported('acme');
  writeFiles(files, {
    '0003_step.sql': 'alter table note add column pinned boolean not null default false;',
  });
  const { plan } = await planRestore(given.another(), { directory, id: 'new', tier: 'schema' });
  expect(plan.steps.join('\n')).toMatch(/customer 10/);
  expect(plan.steps.join('\n')).toMatch(/migrate it up to 0003_step: 1 migration/);
  expect(await failureOf(given.show('new'))).toMatchObject({ code: 'TENANT_UNKNOWN' });
});
