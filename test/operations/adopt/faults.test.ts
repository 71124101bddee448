import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import { discover } from '../../../src/operations/adopt/discover.js';
import { LOCK_CLASS } from '../../../src/pg/locks.js';
import { useServer, withClient } from '../../support/server.js';
import { FILES, legacyFleet } from './legacy.js';

const server = useServer();

const told = (report: { units: { unit: string; state: string; reason: string | null }[] }) =>
  Object.fromEntries(
    report.units.map(({ unit, state, reason }) => [unit.replace(/^\w+:/, ''), reason ?? state]),
  );

test('a fleet with the ledgers of several tools is taken in whole', async () => {
  const made = await legacyFleet(server.current);
  for (const id of ['acme', 'globex', 'initech']) await made.makeSchema(id);
  await made.asOwner(`
    create table globex.pgmigrations (id serial primary key, name varchar(255) not null, run_on timestamp not null);
    insert into globex.pgmigrations (name, run_on) values ${Object.keys(FILES)
      .map((name) => `('${path.basename(name, '.sql')}', now())`)
      .join(', ')};
    drop table globex.schema_migrations;
    drop table initech.schema_migrations;
    create table initech.schema_migrations (version bigint not null primary key, dirty boolean not null);
    insert into initech.schema_migrations values (20240104000000, false)`);
  const report = await made.adopt(['acme', 'globex', 'initech'].map((id) => ({ id })));
  expect(report.units.map(({ unit, tool, taken }) => [unit, tool, taken])).toEqual([
    ['schema:acme', 'dbmate', 'adopted'],
    ['schema:globex', 'node-pg-migrate', 'adopted'],
    ['schema:initech', 'golang-migrate', 'adopted'],
  ]);
});

test('a ledger elsewhere is read where the list names it, and speaks for a whole database by itself', async () => {
  const made = await legacyFleet(server.current);
  await made.makeSchema('acme');
  await made.makeSchema('globex');
  await made.makeDatabase('legacy_own');
  await made.makeSchema('app', 4, 'legacy_own');
  await made.asOwner('alter table app.schema_migrations set schema public', 'legacy_own');
  await made.asOwner(`
    create schema books;
    alter table globex.schema_migrations rename to globex_ledger;
    alter table globex.globex_ledger set schema books`);
  const rows = [
    { id: 'acme' },
    { id: 'globex', ledger: 'books.globex_ledger' },
    { id: 'own', tier: 'database' as const, database: 'legacy_own', schema: 'app' },
  ];
  expect(told(await made.dryRun(rows))).toEqual({ acme: 'current', globex: 'current', own: 'current' });
  const unnamed = await made.dryRun([{ id: 'acme' }, { id: 'globex' }]);
  expect(told(unnamed).globex).toBe('it has no ledger, and looks like versions 3, 4 of the files');
});

test('two ledgers in one schema are refused until one of them is named', async () => {
  const made = await legacyFleet(server.current);
  await made.makeSchema('acme');
  await made.asOwner(
    'create table acme.pgmigrations (id serial primary key, name varchar(255) not null, run_on timestamp not null)',
  );
  const report = await made.dryRun([{ id: 'acme' }]);
  expect(report.units[0]).toMatchObject({ state: 'unknown-ledger', taken: 'refused' });
  expect(report.units[0]?.reason).toMatch(
    /acme\.pgmigrations of node-pg-migrate and acme\.schema_migrations of dbmate/,
  );
  expect(told(await made.dryRun([{ id: 'acme' }], { ledger: 'dbmate' }))).toEqual({ acme: 'current' });
});

test('a half-applied Prisma migration is dirty, an edited file is edited, and CRLF and BOM are neither', async () => {
  const directory = prismaDirectory(FILES);
  const made = await legacyFleet(server.current, { migrations: directory });
  const names = Object.keys(FILES).map((name) => path.basename(name, '.sql'));
  const texts = Object.values(FILES);
  const sums: Record<string, string[]> = {
    plain: texts.map((text) => sha256(`${text}\n`)),
    crlf: texts.map((text) => sha256(`${text}\r\n`)),
    edited: texts.map((text, index) => sha256(index === 1 ? 'create table bill ();' : `${text}\n`)),
    dirty: texts.map((text) => sha256(`${text}\n`)),
  };
  for (const [id, checksums] of Object.entries(sums)) {
    await made.makeSchema(id);
    await made.asOwner(`
      drop table ${id}.schema_migrations;
      create table ${id}._prisma_migrations (id varchar(36) primary key, checksum varchar(64) not null, finished_at timestamptz,
        migration_name varchar(255) not null, logs text, rolled_back_at timestamptz, started_at timestamptz not null default now(),
        applied_steps_count integer not null default 0);
      insert into ${id}._prisma_migrations (id, checksum, finished_at, migration_name, applied_steps_count)
      select gen_random_uuid(), c, case when ${id === 'dirty'} and n = 4 then null else now() end, m, 1
        from unnest(array['${checksums.join("','")}'], array['${names.join("','")}']) with ordinality as t (c, m, n)`);
  }
  const report = await made.adopt(Object.keys(sums).map((id) => ({ id })));
  expect(report.units.map(({ unit, state, taken }) => `${unit} ${state} ${taken}`)).toEqual([
    'schema:plain current adopted',
    'schema:crlf current adopted',
    'schema:edited edited refused',
    'schema:dirty dirty refused',
  ]);
});

test('a file that Drizzle has skipped by its timestamp is told, not taken for applied', async () => {
  const directory = drizzleDirectory(FILES);
  const made = await legacyFleet(server.current, { migrations: directory });
  for (const id of ['acme', 'globex']) {
    await made.makeSchema(id);
    const rows = Object.values(FILES).map((text, n) => `('${sha256(`${text}\n`)}', ${1_000 + n})`);
    if (id === 'globex') rows.splice(2, 1);
    await made.asOwner(`
      drop table ${id}.schema_migrations;
      create table ${id}.__drizzle_migrations (id serial primary key, hash text not null, created_at bigint);
      insert into ${id}.__drizzle_migrations (hash, created_at) values ${rows.join(', ')}`);
  }
  const report = await made.dryRun([{ id: 'acme' }, { id: 'globex' }]);
  expect(report.units.map(({ state, tool }) => [state, tool])).toEqual([
    ['current', 'drizzle'],
    ['unclear', 'drizzle'],
  ]);
  expect(report.units[1]?.reason).toContain('20240103000000_note');
});

test('a database that refuses connections, a schema that is gone and a role without rights are named, and the rest is taken in', async () => {
  const made = await legacyFleet(server.current);
  await made.makeSchema('acme');
  await made.makeDatabase('legacy_shut');
  await made.inside('alter database legacy_shut allow_connections false', 'postgres');
  await made.inside(
    'create role stranger; create schema theirs authorization stranger; create table theirs.thing (id int); alter table theirs.thing owner to stranger',
  );
  const report = await made.adopt([
    { id: 'acme' },
    { id: 'shut', tier: 'database', database: 'legacy_shut', schema: 'public' },
    { id: 'gone' },
    { id: 'theirs' },
    { id: 'nowhere', tier: 'database', database: 'no_such_database', schema: 'public' },
  ]);
  expect(report).toMatchObject({ adopted: 1, existing: 0 });
  expect(report.refused.map(({ unit, reason }) => `${unit}: ${reason}`)).toEqual([
    expect.stringMatching(/^database:shut: .*legacy_shut/) as string,
    `schema:gone: there is no schema gone in database ${made.database}`,
    'schema:theirs: its tables belong to role stranger, which the administrator may not act as',
    expect.stringMatching(/^database:nowhere: .*no_such_database/) as string,
  ]);
});

test('a runner that is at work is noticed by its lock, whether it is the other tool or this one', async () => {
  const made = await legacyFleet(server.current);
  for (const id of ['acme', 'globex', 'initech']) await made.makeSchema(id);
  await made.asOwner(`
    create table globex.pgmigrations (id serial primary key, name varchar(255) not null, run_on timestamp not null);
    insert into globex.pgmigrations (name, run_on) values ${Object.keys(FILES)
      .map((name) => `('${path.basename(name, '.sql')}', now())`)
      .join(', ')};
    drop table globex.schema_migrations`);
  const rows = ['acme', 'globex', 'initech'].map((id) => ({ id }));
  await withClient(server.current.superuserUrl(made.database), async (runner) => {
    await runner.query(
      `select pg_advisory_lock(7241865325823964), pg_advisory_lock(${LOCK_CLASS.unit}, hashtext('schema:initech'))`,
    );
    const report = await made.adopt(rows);
    expect(told(report)).toEqual({
      acme: 'current',
      globex: 'node-pg-migrate is at work on it now',
      initech: 'somebody has been at work on it since it was looked at',
    });
  });
  expect(await made.adopt(rows)).toMatchObject({ adopted: 2, existing: 1, refused: [] });
});

test('a schema that is made after the discovery is on the next list, and one that is gone is told', async () => {
  const made = await legacyFleet(server.current);
  await made.makeSchema('t_acme');
  await made.makeSchema('t_globex');
  const look = () => discover(made.fleet, { schemas: 't\\_%', databases: null, sql: null });
  const { units: listed } = await look();
  await made.makeSchema('t_initech');
  await made.asOwner('drop schema t_globex cascade');
  const report = await made.adopt(listed);
  expect(told(report)).toEqual({
    acme: 'current',
    globex: `there is no schema t_globex in database ${made.database}`,
  });
  expect((await look()).units.map(({ id, schema }) => [id, schema])).toEqual([['initech', 't_initech']]);
});

test('a twentieth of the units, damaged in different ways, are all named with their reasons, and the rest is taken in', async () => {
  const made = await legacyFleet(server.current);
  const ids = Array.from({ length: 100 }, (_, n) => `t${n}`);
  for (const id of ids) await made.makeSchema(id);
  await made.asOwner(`
    alter table t1.bill add column by_hand text;
    insert into t2.schema_migrations values ('20240201000000');
    delete from t3.schema_migrations where version = '20240102000000';
    drop table t4.schema_migrations`);
  await made.inside('alter table t5.bill owner to postgres');
  const report = await made.adopt(ids.map((id) => ({ id })));
  expect(report.adopted).toBe(95);
  expect(
    report.units.filter(({ taken }) => taken === 'refused').map(({ unit, state }) => [unit, state]),
  ).toEqual([
    ['schema:t1', 'differs'],
    ['schema:t2', 'ahead'],
    ['schema:t3', 'unclear'],
    ['schema:t4', 'no-ledger'],
    ['schema:t5', 'rights'],
  ]);
  expect(report.refused.map(({ reason }) => reason)).toEqual([
    'it is recorded at 20240104000000_backfill, but differs from 95 others',
    expect.stringContaining('20240201000000') as string,
    expect.stringContaining('20240102000000_bill') as string,
    'it has no ledger, and looks like versions 3, 4 of the files',
    `most of its tables belong to role ${made.owner}, and some to postgres`,
  ]);
});

function sha256(text: string): string {
  return createHash('sha256').update(text, 'utf8').digest('hex');
}

function prismaDirectory(files: Record<string, string>): string {
  const directory = mkdtempSync(path.join(tmpdir(), 'tenantctl-prisma-'));
  writeFileSync(path.join(directory, 'migration_lock.toml'), 'provider = "postgresql"\n');
  for (const [name, text] of Object.entries(files)) {
    const folder = path.join(directory, path.basename(name, '.sql'));
    mkdirSync(folder);
    writeFileSync(path.join(folder, 'migration.sql'), `${text}\n`);
  }
  return directory;
}

function drizzleDirectory(files: Record<string, string>): string {
  const directory = mkdtempSync(path.join(tmpdir(), 'tenantctl-drizzle-'));
  mkdirSync(path.join(directory, 'meta'));
  const tags = Object.keys(files).map((name) => path.basename(name, '.sql'));
  const entries = tags.map((tag, idx) => ({ idx, version: '7', when: 1_000 + idx, tag, breakpoints: true }));
  writeFileSync(
    path.join(directory, 'meta', '_journal.json'),
    JSON.stringify({ version: '7', dialect: 'postgresql', entries }),
  );
  for (const [name, text] of Object.entries(files)) writeFileSync(path.join(directory, name), `${text}\n`);
  return directory;
}
