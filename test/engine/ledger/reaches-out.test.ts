import { beforeAll, expect, test } from 'vitest';
import { analyse, loadMigrations } from '../../../src/engine/ledger/migration.js';
import { loadParser } from '../../../src/engine/ledger/parser.js';
import { reachesOut } from '../../../src/engine/ledger/reaches-out.js';
import { INVOICING } from '../../support/fleet.js';
import { fileWith } from '../../support/migrations.js';

beforeAll(loadParser);

const judge = (sql: string) => reachesOut([analyse(fileWith(sql))]);

const body = (code: string, language = 'plpgsql') =>
  `create function f() returns void language ${language} as $$ ${code} $$`;

test.each([
  ["copy (select 1) to program 'mail everybody'", 'COPY … PROGRAM'],
  ["copy invoice from program 'curl example.com'", 'COPY … PROGRAM'],
  ["copy invoice to '/tmp/invoice'", 'COPY with a file of the server'],
  ["copy invoice from '/tmp/invoice'", 'COPY with a file of the server'],
  ["select dblink_exec('host=x', 'delete from y')", 'dblink_exec()'],
  ["select extensions.dblink('host=x', 'select 1')", 'dblink()'],
  ["create view v as select * from dblink('x', 'y') as t (a int)", 'dblink()'],
  ["insert into a values (lo_export(1, '/tmp/x'))", 'lo_export()'],
  ["create table b (c text default pg_read_file('/etc/passwd'))", 'pg_read_file()'],
  ["select pg_catalog.pg_read_binary_file('x')", 'pg_read_binary_file()'],
  ["create subscription s connection 'host=x' publication p", 'CREATE SUBSCRIPTION'],
  ["alter system set work_mem = '1GB'", 'ALTER SYSTEM'],
  ['create server s foreign data wrapper postgres_fdw', 'CREATE SERVER'],
  ['import foreign schema public from server s into app', 'IMPORT FOREIGN SCHEMA'],
  ["load 'auto_explain'", 'LOAD'],
  ['select pg_terminate_backend(1)', 'pg_terminate_backend()'],
  ['select pg_advisory_lock(1)', 'pg_advisory_lock()'],
  ["select pg_create_physical_replication_slot('s')", 'pg_create_physical_replication_slot()'],
  ["select http_get('http://example.com')", 'http_get()'],
  ["select query_to_xml('select dblink(1)', true, true, '')", 'query_to_xml()'],
  ["do $$ begin perform dblink_connect('x'); end $$", 'dblink_connect'],
  ["do $$ begin execute 'copy t to program ''x'''; end $$", 'COPY'],
  ["do $$ begin execute format('copy %I to %L', 't', '/tmp/t'); end $$", 'COPY'],
  ["do $$ begin execute 'alter system set a = 1'; end $$", 'ALTER SYSTEM'],
  [body("begin perform pg_ls_dir('/'); end"), 'pg_ls_dir'],
  [body('import os', 'plpython3u'), 'code in language plpython3u'],
  ['do language plperlu $$ system("x") $$', 'code in language plperlu'],
  ["create function f() returns text begin atomic select pg_read_file('x'); end", 'pg_read_file()'],
])('%s acts where no rollback reaches', (sql, what) => {
  expect(judge(sql)).toBe(`0007_step.sql: ${what}`);
});

test.each([
  "notify moved, 'x'",
  "select pg_notify('a', 'b')",
  'select pg_advisory_xact_lock(1)',
  "insert into help values ('copy it to program ''x'', or use dblink(…)')",
  body('begin -- see http://example.com\n new.at := now(); end'),
  body('begin perform pg_try_advisory_xact_lock(1); end'),
  "do $$ begin execute 'create table x ()'; end $$",
  'create publication p for table invoice',
  "create function f() returns text language sql as 'select 1::text'",
  "comment on table invoice is 'dblink'",
])('%s is taken back with its transaction', (sql) => {
  expect(judge(sql)).toBeNull();
});

test('nothing of the sample product reaches out', async () => {
  const settings = {
    directory: `${INVOICING}migrations`,
    format: 'postgres-migrations',
    onForeignSchema: 'refuse',
  } as const;
  const migrations = await loadMigrations(settings, 'extensions');
  expect(migrations.length).toBeGreaterThan(5);
  expect(reachesOut(migrations)).toBeNull();
});
