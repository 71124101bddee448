import { expect, test } from 'vitest';
import type { MigrationSettings } from '../../../src/core/settings.js';
import { NO_LIMITS } from '../../../src/core/settings.js';
import type { Tier } from '../../../src/core/tier.js';
import { type LintedSettings, checkMigrations } from '../../../src/operations/check/migrations.js';
import { directoryOf, failureOf } from '../../engine/ledger/directory.js';

function settings(
  files: Record<string, string>,
  changes: Partial<MigrationSettings> = {},
  tiers: Tier[] = [],
): LintedSettings {
  const plan = { cluster: null, pool: null, region: null, labels: {}, limits: NO_LIMITS };
  return {
    migrations: { directory: directoryOf(files), format: 'auto', onForeignSchema: 'refuse', ...changes },
    tenancy: {
      column: 'tenant_id',
      columnType: 'uuid',
      setting: 'app.tenant_id',
      appRole: 'app_user',
      rls: 'enforce',
      extensionsSchema: 'extensions',
      shared: [],
      names: { schema: '{id}', database: '{id}' },
    },
    plans: Object.fromEntries(tiers.map((tier) => [tier, { ...plan, name: tier, tier }])),
  };
}

const found = async (of: LintedSettings) =>
  (await checkMigrations(of)).findings.map(({ rule, where, facts }) => `${where}:${facts.line} ${rule}`);

test('a directory that is out of order has a finding for each problem', async () => {
  const checked = await checkMigrations(
    settings(
      { '0001_a.sql': 'select 1', '0001_b.sql': '', '0004_c.sql': '', 'x.js': '' },
      { format: 'postgres-migrations' },
    ),
  );
  expect(checked.findings.map(({ rule, level }) => `${level} ${rule}`)).toEqual(
    Array(3).fill('error files-not-in-order'),
  );
  const directory = expect.stringMatching(/^\/.*[^:]$/) as string;
  expect(checked.findings).toMatchObject([
    { where: 'x.js', message: 'JavaScript migrations are not run; write it as SQL' },
    { where: directory, message: 'number 1 is used by 0001_a.sql and 0001_b.sql' },
    { where: directory, message: 'number 2 is missing: the next file there is 4' },
  ]);
});

test('every file with a syntax error is named with line and column, and the others are looked at', async () => {
  const files = { '0001_a.sql': 'select 1;\nselct 2;', '0002_b.sql': 'begin;', '0003_c.sql': 'é; alter' };
  const { findings, files: read } = await checkMigrations(settings(files));
  expect(read).toBe(3);
  expect(findings.map(({ rule, where, facts }) => [rule, where, facts.line, facts.column])).toEqual([
    ['syntax-error', '0001_a.sql', 2, 1],
    ['own-transaction', '0002_b.sql', 1, 1],
    ['syntax-error', '0003_c.sql', 1, 1],
  ]);
  expect(findings[0]?.message).toBe('syntax error at or near "selct" (SQLSTATE 42601)');
});

test('a finding names the file without its line, so that a baseline outlives an edit', async () => {
  const of = settings({
    '0001_a.sql': 'create table a (id int)',
    '0002_b.sql': '\ncreate index i on a (id);',
  });
  expect(
    (await checkMigrations(of)).findings.filter(({ rule }) => rule === 'index-without-concurrently'),
  ).toMatchObject([
    {
      where: '0002_b.sql',
      level: 'error',
      facts: {
        file: `${of.migrations.directory}/0002_b.sql`,
        line: 2,
        column: 1,
        sql: ['create index concurrently i on a (id);'],
      },
    },
  ]);
});

test('tables that nobody shares may leave the tenant column out', async () => {
  const files = { '0001_a.sql': 'create table a (tenant_id uuid, id int primary key)' };
  const without = '0001_a.sql:1 pool-key-without-tenant-column';
  expect(await found(settings(files, {}, ['schema', 'database']))).toEqual([]);
  expect(await found(settings(files, {}, ['pool', 'schema']))).toContain(without);
  expect(await found(settings(files))).toContain(without);
});

test('the files of other tools are judged as they are run: Prisma has no ways back, and may build an index alone', async () => {
  const init = 'create table "public"."user" (id int primary key);';
  const files = {
    'migration_lock.toml': 'provider = "postgresql"',
    '20240101000000_init/migration.sql': init,
    '20240102000000_index/migration.sql': 'create index concurrently "user_id" on "public"."user" (id);',
    '20240103000000_lone/migration.sql': 'alter table "public"."user" alter column id type bigint;',
  };
  expect(await found(settings(files, { onForeignSchema: 'rewrite' }, ['schema']))).toEqual([
    '20240103000000_lone/migration.sql:1 column-type-change',
  ]);
});

test('a directory that is not there is told as that', async () => {
  const missing = settings({}, { directory: '/nowhere/at/all' });
  expect(await failureOf(checkMigrations(missing))).toMatchObject({ code: 'MIGRATIONS_UNREADABLE', exit: 3 });
});
