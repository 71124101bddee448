import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Tenant } from '../../../../src/core/tenant.js';
import { useServer } from '../../../support/server.js';
import { type PreflightFleet, customer, placesOf, preflightFleet, statementIn } from './support.js';

const server = useServer();
let fleet: PreflightFleet;
let acme: Tenant;
const toSchema = { id: 'acme', to: 'schema' } as const;

beforeAll(async () => {
  fleet = await preflightFleet(server.current);
  acme = await fleet.tenant('acme', 'pool');
  await fleet.tenant('other', 'pool');
  await fleet.run(fleet.pool, customer(acme.key, 1));
});

test('nothing is said of a tenant whose tables can be moved', async () => {
  expect(await fleet.findings(toSchema)).toEqual([]);
});

test('a table without a key is an error, and a warning where its writes are held anyway', async () => {
  await fleet.own(fleet.pool, 'alter table note drop constraint note_pkey');
  const online = await fleet.findings({ ...toSchema, method: 'online' }, 'table-without-key');
  const offline = await fleet.findings({ ...toSchema, method: 'offline' }, 'table-without-key');
  await fleet.own(fleet.pool, 'alter table note add primary key (tenant_id, id)');
  expect([placesOf(online), placesOf(offline)]).toEqual([['error note'], ['warning note']]);
  expect(online[0]?.hint).toContain('alter table "note" add primary key');
});

test('a unique key over columns that are NOT NULL is as good as a primary key, one over others is not', async () => {
  await fleet.own(
    fleet.pool,
    'alter table note drop constraint note_pkey; create unique index note_unique on note (tenant_id, id)',
  );
  const notNull = await fleet.findings(toSchema, 'table-without-key');
  await fleet.own(fleet.pool, 'alter table note alter id drop not null');
  const nullable = await fleet.findings(toSchema, 'table-without-key');
  await fleet.own(
    fleet.pool,
    'alter table note alter id set not null, add constraint note_pkey primary key using index note_unique',
  );
  expect([placesOf(notNull), placesOf(nullable)]).toEqual([[], ['error note']]);
});

test('a key whose equality could tell others its values is looked for row by row in a pool', async () => {
  await fleet.own(
    fleet.pool,
    'alter table journal add column span int4range not null default int4range(1, 2), drop constraint journal_pkey, add primary key (tenant_id, token, span)',
  );
  const found = await fleet.findings(toSchema, 'key-not-leakproof');
  await fleet.own(fleet.pool, 'alter table journal drop column span, add primary key (tenant_id, token)');
  expect(placesOf(found)).toEqual(['warning journal.span']);
  expect(found[0]?.message).toContain('int4range');
});

describe('values that mean something in one database only', () => {
  beforeAll(async () => {
    await fleet.own(
      fleet.pool,
      'create domain lo as oid; alter table note add column file oid, add column scan lo, add column kinds regclass[], add column language regconfig',
    );
  });

  afterAll(async () => {
    await fleet.own(
      fleet.pool,
      'alter table note drop column file, drop column scan, drop column kinds, drop column language; drop domain lo',
    );
  });

  test('a reference to a large object does not move; a number that is none does', async () => {
    await fleet.run(
      fleet.pool,
      `insert into note (tenant_id, id, body, file, scan) values ('${acme.key}', 1, 'x', 4711, null)`,
    );
    expect(await fleet.findings(toSchema, 'large-object')).toEqual([]);
    await fleet.run(
      fleet.pool,
      `update note set file = lo_from_bytea(0, 'abc'), scan = lo_from_bytea(0, 'def')`,
    );
    const found = await fleet.findings(toSchema, 'large-object');
    expect(placesOf(found)).toEqual(['error note.file', 'error note.scan']);
    await fleet.run(
      fleet.pool,
      'alter table note add column file_bytes bytea; update note set file_bytes = lo_get(file); select lo_unlink(file), lo_unlink(scan) from note; alter table note drop file_bytes',
    );
    expect(await fleet.findings(toSchema, 'large-object')).toEqual([]);
  });

  test('the large objects of another tenant do not hold this one back', async () => {
    const { key } = await fleet.tenant('archive', 'pool');
    await fleet.run(
      fleet.pool,
      `insert into note (tenant_id, id, body, file) values ('${key}', 1, 'x', lo_from_bytea(0, 'abc'))`,
    );
    expect(await fleet.findings(toSchema, 'large-object')).toEqual([]);
    expect(placesOf(await fleet.findings({ id: 'archive', to: 'schema' }, 'large-object'))).toEqual([
      'error note.file',
    ]);
  });

  test('the name of a table of the database does not move, the name of a language that every server has does', async () => {
    await fleet.run(fleet.pool, `update note set language = 'english', kinds = '{pg_class}'`);
    expect(await fleet.findings(toSchema, 'object-name')).toEqual([]);
    await fleet.run(fleet.pool, `update note set kinds = '{customer}'`);
    const found = await fleet.findings(toSchema, 'object-name');
    expect(placesOf(found)).toEqual(['error note.kinds']);
    await fleet.own(fleet.pool, statementIn(found[0]!));
    expect(await fleet.findings(toSchema, 'object-name')).toEqual([]);
  });
});

test('a materialized view is empty at a home that is made for the tenant', async () => {
  await fleet.own(fleet.pool, 'create materialized view totals as select count(*) from note');
  const found = await fleet.findings(toSchema);
  await fleet.own(fleet.pool, 'drop materialized view totals');
  expect(found.map(({ rule, level, where }) => [rule, level, where])).toEqual([
    ['materialized-view', 'warning', 'totals'],
  ]);
  expect(found[0]?.hint).toMatch(/refresh materialized view "t\d+_acme"\."totals";$/);
});

test('what a live pool could not answer for is told before a move out of it, once', async () => {
  await fleet.own(fleet.pool, 'create rule quiet as on delete to note do instead nothing');
  const found = await fleet.findings(toSchema);
  await fleet.own(fleet.pool, found.map(statementIn).join(' '));
  expect(found.map(({ rule, level, where }) => [rule, level, where])).toEqual([
    ['rewrite-rule', 'error', 'note'],
  ]);
  expect(await fleet.findings(toSchema)).toEqual([]);
});

test('an unlogged table may be moved, but is named', async () => {
  await fleet.own(fleet.pool, 'alter table event_old set unlogged');
  const found = await fleet.findings(toSchema, 'unlogged-table');
  expect(placesOf(found)).toEqual(['warning event_old']);
  await fleet.own(fleet.pool, statementIn(found[0]!));
  expect(await fleet.findings(toSchema, 'unlogged-table')).toEqual([]);
});

describe('a home of its own', () => {
  let own: Tenant;

  beforeAll(async () => {
    own = await fleet.tenant('house', 'schema');
    await fleet.run(fleet.pool, customer(own.key, 1), own.schema);
  });

  test('nothing is said of it when it is sound', async () => {
    expect(await fleet.findings({ id: 'house', to: 'database' })).toEqual([]);
    expect(await fleet.findings({ id: 'house', to: 'pool', pool: acme.pool! })).toEqual([]);
  });

  test('a rule that rewrites what is written would rewrite the copy; a view is no such rule', async () => {
    await fleet.own(fleet.pool, 'create view notes as select * from note', own.schema);
    expect(await fleet.findings({ id: 'house', to: 'database' }, 'rule-on-table')).toEqual([]);
    await fleet.own(fleet.pool, 'create rule quiet as on delete to note do instead nothing', own.schema);
    const found = await fleet.findings({ id: 'house', to: 'database' }, 'rule-on-table');
    expect(placesOf(found)).toEqual(['error note.quiet']);
    await fleet.own(fleet.pool, `${statementIn(found[0]!)} drop view notes`, own.schema);
    expect(await fleet.findings({ id: 'house', to: 'database' }, 'rule-on-table')).toEqual([]);
  });

  test('a table without a column is nothing that rows could be copied of', async () => {
    await fleet.own(fleet.pool, 'create table bare (); insert into bare default values', own.schema);
    const found = await fleet.findings(
      { id: 'house', to: 'database', method: 'offline' },
      'table-without-columns',
    );
    expect(placesOf(found)).toEqual(['error bare']);
    await fleet.own(fleet.pool, statementIn(found[0]!), own.schema);
    expect(await fleet.findings({ id: 'house', to: 'database' }, 'table-without-columns')).toEqual([]);
    await fleet.own(fleet.pool, 'drop table bare', own.schema);
  });

  test('a table that inherits would be moved twice; a partition is moved once', async () => {
    await fleet.own(fleet.pool, 'create table old_note () inherits (note)', own.schema);
    const found = await fleet.findings({ id: 'house', to: 'database' }, 'inherited-table');
    await fleet.own(fleet.pool, `${statementIn(found[0]!)} drop table old_note`, own.schema);
    expect(placesOf(found)).toEqual(['error old_note']);
    expect(found[0]?.hint).toContain('alter table "old_note" no inherit "note";');
    expect(await fleet.findings({ id: 'house', to: 'database' }, 'inherited-table')).toEqual([]);
  });

  test('a row with another key, or with none, would be left behind', async () => {
    await fleet.own(
      fleet.pool,
      `alter table note drop constraint note_pkey, alter tenant_id drop not null, add unique (id);
       insert into note (tenant_id, id, body) values (null, 1, 'x'), ('${acme.key}', 2, 'y'), ('${own.key}', 3, 'z')`,
      own.schema,
    );
    const found = await fleet.findings({ id: 'house', to: 'database' }, 'row-of-another-tenant');
    expect(placesOf(found)).toEqual(['error note']);
    expect(found[0]?.message).toContain('has 2 rows');
    await fleet.own(fleet.pool, statementIn(found[0]!), own.schema);
    const mended = await fleet.findings({ id: 'house', to: 'database' }, 'row-of-another-tenant');
    await fleet.own(
      fleet.pool,
      'alter table note drop constraint note_id_key, add primary key (tenant_id, id)',
      own.schema,
    );
    expect(mended).toEqual([]);
  });
});
