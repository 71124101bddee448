import { beforeAll, describe, expect, test } from 'vitest';
import type { Tenant } from '../../../../src/core/tenant.js';
import { useServer } from '../../../support/server.js';
import { directoryOf, numbered, writeFiles } from '../../ledger/directory.js';
import { ZOO } from '../../../operations/moves/zoo.js';
import { type PreflightFleet, customer, placesOf, preflightFleet, statementIn } from './support.js';

const server = useServer();
let fleet: PreflightFleet;
let acme: Tenant;
let other: Tenant;
const toSchema = { id: 'acme', to: 'schema' } as const;

beforeAll(async () => {
  fleet = await preflightFleet(server.current);
  [acme, other] = [await fleet.tenant('acme', 'pool'), await fleet.tenant('other', 'pool')];
  await fleet.run(fleet.pool, customer(acme.key, 1) + customer(other.key, 2));
});

describe('foreign keys', () => {
  test('one that ends outside the schema has nothing to point to at the new home', async () => {
    await fleet.own(
      fleet.pool,
      'create schema elsewhere; create table elsewhere.country (code text primary key); alter table customer add column country text references elsewhere.country',
    );
    const found = await fleet.findings(toSchema, 'foreign-key-to-outside');
    expect(placesOf(found)).toEqual(['error customer.customer_country_fkey']);
    await fleet.own(
      fleet.pool,
      `${statementIn(found[0]!)} alter table customer drop country; drop schema elsewhere cascade`,
    );
    expect(await fleet.findings(toSchema, 'foreign-key-to-outside')).toEqual([]);
  });

  test('one that comes from a table that stays would refer to rows that have left', async () => {
    await fleet.own(
      fleet.pool,
      'create table vip (customer uuid, id bigint, primary key (customer, id), constraint vip_customer foreign key (customer, id) references customer)',
    );
    const fromPool = await fleet.findings(toSchema);
    await fleet.own(fleet.pool, 'drop table vip');
    expect(fromPool.map(({ rule, level, where }) => [rule, level, where])).toEqual([
      ['outside-child', 'error', 'vip'],
    ]);
    const house = await fleet.tenant('house', 'schema');
    await fleet.own(
      fleet.pool,
      `create schema elsewhere; create table elsewhere.vip (customer uuid, id bigint, constraint vip_customer foreign key (customer, id) references customer)`,
      house.schema,
    );
    const toDatabase = { id: 'house', to: 'database' } as const;
    const found = await fleet.findings(toDatabase, 'foreign-key-from-outside');
    expect(placesOf(found)).toEqual(['error elsewhere.vip.vip_customer']);
    await fleet.own(fleet.pool, `${statementIn(found[0]!)} drop schema elsewhere cascade`);
    expect(await fleet.findings(toDatabase)).toEqual([]);
  });

  test('one without the tenant column is a warning, and an error once a row refers to another tenant', async () => {
    await fleet.own(
      fleet.pool,
      'alter table customer add column friend bigint, add unique (id); alter table customer add constraint friendship foreign key (friend) references customer (id)',
    );
    await fleet.run(fleet.pool, 'update customer set friend = id');
    expect(placesOf(await fleet.findings(toSchema, 'foreign-key-without-tenant'))).toEqual([
      'warning customer.friendship',
    ]);
    await fleet.run(fleet.pool, 'update customer set friend = 1');
    const ofOther = await fleet.findings({ id: 'other', to: 'schema' }, 'reference-across-tenants');
    const found = await fleet.findings(toSchema, 'reference-across-tenants');
    expect([placesOf(ofOther), placesOf(found)]).toEqual([
      ['error customer.friendship'],
      ['error customer.friendship'],
    ]);
    await fleet.run(fleet.pool, `update customer set friend = id; ${statementIn(found[0]!)}`);
    const mended = await fleet.findings(toSchema);
    await fleet.own(fleet.pool, 'alter table customer drop friend, drop constraint customer_id_key');
    expect(mended.filter(({ where }) => where === 'customer.friendship')).toEqual([]);
  });
});

describe('a pool that the tenant is to come to', () => {
  let second: { id: string; to: 'pool'; pool: string };

  beforeAll(async () => {
    second = { id: 'acme', to: 'pool', pool: `${acme.pool}second` };
    await fleet.tenant('resident', 'pool', second.pool);
  });

  test('nothing is said of it when it is like the old one', async () => {
    expect(await fleet.findings(second)).toEqual([]);
  });

  test('a row of a reference table that is missing or other there is named by its key', async () => {
    await fleet.own(
      fleet.second,
      `delete from region where code = 'us'; update region set name = 'Europa' where code = 'eu'; insert into region values ('mars', 'Mars')`,
    );
    const found = await fleet.findings(second, 'reference-table-differs');
    await fleet.own(
      fleet.second,
      `delete from region; insert into region values ('eu', 'Europe'), ('us', 'America')`,
    );
    expect(placesOf(found)).toEqual(['error region']);
    expect(found[0]?.message).toContain('key (eu) differs');
    expect(found[0]?.message).toContain('key (us) is missing there');
    expect(found[0]?.message).toContain('key (mars) is only there');
    expect(await fleet.findings(second, 'reference-table-differs')).toEqual([]);
  });

  test('every table that would not take the rows is named with the change that mends it', async () => {
    await fleet.own(
      fleet.second,
      `alter table customer drop column blob, add column extra text;
       alter table orders alter note type varchar(10);
       alter table note alter read_count drop not null;
       alter table journal add column more text not null default '', drop constraint journal_pkey, add primary key (tenant_id, token, at)`,
    );
    await fleet.own(fleet.pool, 'alter table event alter what set not null');
    const found = await fleet.findings(second, 'shape-differs');
    expect(placesOf(found)).toEqual(['error customer', 'error journal', 'error orders']);
    expect(found[0]?.message).toContain('column blob is missing there, column extra is only there');
    expect(found[2]?.message).toContain('column note is text here and character varying(10) there');
    await fleet.own(fleet.second, found.map(statementIn).join(' '));
    const keys = await fleet.findings(second, 'shape-differs');
    expect(placesOf(keys)).toEqual(['error journal']);
    expect(keys[0]?.message).toContain('(tenant_id, token) here and by (tenant_id, token, at) there');
    await fleet.own(
      fleet.second,
      'alter table journal drop constraint journal_pkey, add primary key (tenant_id, token)',
    );
    expect(await fleet.findings(second)).toEqual([]);
  });

  test('rows with its key where it never lived are not overwritten', async () => {
    await fleet.run(fleet.second, customer(acme.key, 7));
    const found = await fleet.findings(second, 'rows-at-target');
    expect(placesOf(found)).toEqual(['error customer']);
    await fleet.run(fleet.second, statementIn(found[0]!));
    expect(await fleet.findings(second, 'rows-at-target')).toEqual([]);
  });

  test('both pools must be at one migration, and not in the middle of one', async () => {
    await fleet.run(
      fleet.second,
      `insert into tenantctl.ledger (unit, id, name, checksum, tool) select unit, 3, 'more', 'abc', tool from tenantctl.ledger where id = 2 and unit like 'pool:%second'`,
    );
    const ahead = await fleet.findings(second);
    expect(placesOf(ahead)).toEqual([`error pool:${acme.pool}`]);
    expect(ahead[0]?.rule).toBe('version-differs');
    expect(ahead[0]?.hint).toBe(`tenantctl migrate --select unit=pool:${acme.pool}`);
    await fleet.run(fleet.second, `update tenantctl.ledger set state = 'started' where id = 3`);
    const unfinished = await fleet.findings(second);
    expect(unfinished.map(({ rule, where }) => [rule, where])).toEqual([
      ['migration-unfinished', `pool:${second.pool}`],
    ]);
    await fleet.run(
      fleet.second,
      `delete from tenantctl.ledger where id = 3; update tenantctl.ledger set checksum = 'other' where id = 2 and unit like 'pool:%second'`,
    );
    const other = await fleet.findings(second);
    expect(other.map(({ rule }) => rule)).toEqual(['history-differs']);
  });
});

test('a new home is made from the files, which must be those that the old one had', async () => {
  expect(await fleet.findings(toSchema)).toEqual([]);
  const folder = fleet.settings.migrations.directory;
  writeFiles(folder, {
    '0003_step.sql': 'create table later (tenant_id uuid not null, id int, primary key (tenant_id, id));',
  });
  expect(await fleet.findings(toSchema)).toEqual([]);
  await fleet.run(
    fleet.pool,
    `update tenantctl.ledger set checksum = 'as it was' where id = 2 and unit = 'pool:${acme.pool}'`,
  );
  const edited = await fleet.findings(toSchema);
  expect(edited.map(({ rule, message }) => [rule, message.includes('was changed')])).toEqual([
    ['file-differs', true],
  ]);
  await fleet.run(
    fleet.pool,
    `update tenantctl.ledger set id = 77, name = 'lost' where id = 2 and unit = 'pool:${acme.pool}'`,
  );
  const lost = await fleet.findings(toSchema);
  expect(lost.map(({ rule, message }) => [rule, message.includes('no file lost')])).toEqual([
    ['file-differs', true],
  ]);
});

test('a file for one tier only keeps nobody from moving, though it be the newest', async () => {
  const one = await preflightFleet(server.current, {
    migrations: directoryOf(numbered(...ZOO, '-- tenantctl: tiers=pool\nselect 1;')),
  });
  const pool = await one.tenant('acme', 'pool');
  await one.tenant('house', 'schema');
  expect(await one.findings(toSchema)).toEqual([]);
  expect(await one.findings({ id: 'house', to: 'pool', pool: pool.pool as string })).toEqual([]);
});
