import { expect, it } from 'vitest';
import { checkMigrations } from '../../../src/operations/check/migrations.js';
import { directoryOf } from '../ledger/directory.js';

const SETTINGS = {
  migrations: { format: 'auto', onForeignSchema: 'refuse' },
  tenancy: { column: 'tenant_id', shared: [], rls: 'enforce', extensionsSchema: 'extensions' },
  plans: {},
};

async function found(sql: string) {
  const directory = directoryOf({ '0001_step.sql': sql });
  const migrations = { ...SETTINGS.migrations, directory };
  const { findings } = await checkMigrations({ ...SETTINGS, migrations } as never);
  return findings.map(({ rule, facts, hint }) => ({ rule, line: facts.line, column: facts.column, hint }));
}

it.each([
  [String.raw`\i other.sql`, 'is one file'],
  [String.raw`\connect other`, 'the tool chooses the home'],
  [String.raw`\restrict abc`, 'pg_dump'],
  [String.raw`\echo done`, 'Leave it out'],
  [`select :'name';`, 'Write the value itself'],
  ['copy note from stdin;\n1\tone', 'as INSERT'],
])('%s is told as what only psql understands', async (line, hint) => {
  const seen = await found(`-- a comment\nselect 1;\n${line}\nselect 2;`);
  expect(seen.map(({ rule }) => rule)).toEqual(['psql-command']);
  expect(seen[0]?.hint).toContain(hint);
  expect(seen[0]?.line).toBeGreaterThanOrEqual(3);
});

it.each([
  ['no character', ''],
  ['blanks', ' \r\n\t\n'],
  ['a byte order mark', '\uFEFF'],
  ['comments', '\uFEFF-- nothing yet\r\n/* nor\r\nhere */\r\n'],
])('a file of nothing but %s has no finding', async (_, sql) => {
  expect(await found(sql)).toEqual([]);
});

it('places are those of an editor, behind a byte order mark, in lines that end as on Windows, and beside other scripts', async () => {
  const sql =
    '\uFEFF-- Übung 数据 😀\r\ncreate table note (tenant_id uuid primary key);\r\n  select 1; -- 😀\r\n/* é */ alter table old add column n int, alter column b type text;\r\n';
  expect(await found(sql)).toMatchObject([{ rule: 'column-type-change', line: 4, column: 9 }]);
});
