import { beforeAll, expect, test } from 'vitest';
import type { Tenant } from '../../../../src/core/tenant.js';
import { query, useServer } from '../../../support/server.js';
import { type PreflightFleet, placesOf, preflightFleet, statementIn } from './support.js';

const server = useServer();
let fleet: PreflightFleet;
let acme: Tenant;
let house: Tenant;
let app: string;
const toSchema = { id: 'acme', to: 'schema' } as const;
const toDatabase = { id: 'acme', to: 'database' } as const;

/** As the superuser of the server. */
const command = (statement: string) => query(server.current.superuserUrl('postgres'), statement);

beforeAll(async () => {
  fleet = await preflightFleet(server.current);
  [acme, house] = [await fleet.tenant('acme', 'pool'), await fleet.tenant('house', 'schema')];
  app = fleet.settings.tenancy.appRole;
});

test('an application that may TRUNCATE is refused, with the REVOKE that takes the right from whoever was given it', async () => {
  await fleet.own(fleet.pool, `grant truncate on note to ${app}; grant truncate on event_new to public`);
  const found = await fleet.findings(toSchema, 'truncate-right');
  expect(placesOf(found)).toEqual(['error event_new', 'error note']);
  expect(found.map(statementIn)).toEqual([
    'revoke truncate on "app"."event_new" from public;',
    `revoke truncate on "app"."note" from "${app}";`,
  ]);
  await fleet.own(fleet.pool, found.map(statementIn).join(' '));
  expect(await fleet.findings(toSchema, 'truncate-right')).toEqual([]);
});

test('the role of a home of its own is looked at as well', async () => {
  await fleet.own(fleet.pool, `grant truncate on note to "${house.schema}"`, house.schema);
  const found = await fleet.findings({ id: 'house', to: 'database' }, 'truncate-right');
  await fleet.own(fleet.pool, found.map(statementIn).join(' '));
  expect(placesOf(found)).toEqual(['error note']);
  expect(await fleet.findings({ id: 'house', to: 'database' }, 'truncate-right')).toEqual([]);
});

test('a table that the application owns, or somebody else, is neither read nor followed', async () => {
  await fleet.run(fleet.pool, `alter table note owner to ${app}; alter table journal owner to postgres`);
  const found = await fleet.findings(toSchema);
  expect(found.map(({ rule, where }) => [rule, where])).toEqual([
    ['table-owner', 'journal'],
    ['table-owner', 'note'],
  ]);
  await fleet.run(fleet.pool, found.map(statementIn).join(' '));
  expect(await fleet.findings(toSchema)).toEqual([]);
});

test('so is one whose owner’s rights the application has', async () => {
  await command('create role owners; grant owners to tenantctl_admin');
  await command(`grant owners to ${app}`);
  await fleet.run(fleet.pool, 'grant all on schema app to owners; alter table note owner to owners');
  const found = await fleet.findings(toSchema, 'table-owner');
  expect(placesOf(found)).toEqual(['error note']);
  await fleet.run(fleet.pool, statementIn(found[0]!));
  const mended = await fleet.findings(toSchema);
  await fleet.run(
    fleet.pool,
    'alter table note owner to tenantctl_admin; drop owned by owners; drop role owners',
  );
  expect(mended).toEqual([]);
});

test('an application that may create tables could make one that stays behind', async () => {
  await fleet.own(fleet.pool, `grant create on schema app to ${app}`);
  const found = await fleet.findings(toSchema, 'create-right');
  expect(placesOf(found)).toEqual(['error app']);
  await fleet.own(fleet.pool, statementIn(found[0]!));
  expect(await fleet.findings(toSchema, 'create-right')).toEqual([]);
});

test('an administrator who may not make databases or roles cannot make a database for a tenant', async () => {
  await command('alter role tenantctl_admin nocreatedb nocreaterole');
  const found = await fleet.findings(toDatabase, 'right-missing');
  expect(placesOf(found)).toEqual([
    expect.stringMatching(/^error d\d+_acme$/),
    expect.stringMatching(/^error d\d+_acme$/),
  ]);
  for (const finding of found) await command(statementIn(finding));
  expect(await fleet.findings(toDatabase)).toEqual([]);
});

test('nor a schema in a database where it may create nothing', async () => {
  await command(`alter database ${fleet.pool} owner to postgres`);
  await command(`grant connect on database ${fleet.pool} to tenantctl_admin`);
  const found = await fleet.findings(toSchema, 'right-missing');
  expect(placesOf(found)).toEqual([`error ${fleet.pool}`]);
  await command(statementIn(found[0]!));
  const mended = await fleet.findings(toSchema, 'right-missing');
  await command(`alter database ${fleet.pool} owner to tenantctl_admin`);
  expect(mended).toEqual([]);
});

test('a role of applications that sees through row-level security is refused', async () => {
  await command(`alter role ${app} bypassrls`);
  const found = await fleet.findings(toSchema, 'application-role-unsafe');
  await command(statementIn(found[0]!));
  expect(placesOf(found)).toEqual([`error ${app}`]);
  expect(await fleet.findings(toSchema, 'application-role-unsafe')).toEqual([]);
});

test('a schema, database or role of that name that is not this tenant’s is not taken over', async () => {
  const { schema, database } = fleet.settings.tenancy.names;
  const [itsSchema, itsDatabase] = [schema, database].map((pattern) => pattern.replace('{id}', 'acme'));
  await fleet.own(fleet.pool, `create schema ${itsSchema}`);
  await command(`create role ${itsDatabase}`);
  await command(`create database ${itsDatabase}`);
  await command(`grant connect on database ${itsDatabase} to public`);
  const inPool = await fleet.findings(toSchema, 'place-taken');
  const apart = await fleet.findings(toDatabase, 'place-taken');
  await fleet.own(fleet.pool, `drop schema ${itsSchema}`);
  await command(`drop database ${itsDatabase}`);
  await command(`drop role ${itsDatabase}`);
  expect([placesOf(inPool), placesOf(apart)]).toEqual([
    [`error ${itsSchema}`],
    [`error ${itsDatabase}`, `error ${itsDatabase}`],
  ]);
  expect([...(await fleet.findings(toSchema)), ...(await fleet.findings(toDatabase))]).toEqual([]);
});

test('an extension that the new home’s database lacks and we may not create is named', async () => {
  await fleet.tenant('resident', 'pool', `${acme.pool}second`);
  const request = { id: 'acme', to: 'pool', pool: `${acme.pool}second` } as const;
  await fleet.run(fleet.pool, 'create extension citext schema extensions');
  expect(await fleet.findings(request, 'extension-missing')).toEqual([]);
  await fleet.run(fleet.pool, 'create extension pageinspect schema extensions');
  const found = await fleet.findings(request, 'extension-missing');
  expect(placesOf(found)).toEqual(['error pageinspect']);
  await fleet.run(fleet.second, statementIn(found[0]!));
  expect(await fleet.findings(request, 'extension-missing')).toEqual([]);
  await fleet.run(fleet.pool, `update pg_extension set extname = 'homemade' where extname = 'pageinspect'`);
  const unknown = await fleet.findings(request, 'extension-missing');
  await fleet.run(
    fleet.pool,
    `update pg_extension set extname = 'pageinspect' where extname = 'homemade'; drop extension pageinspect; drop extension citext`,
  );
  expect(
    unknown.map(({ level, where, message }) => [
      level,
      where,
      message.includes('not installed on the server'),
    ]),
  ).toEqual([['error', 'homemade', true]]);
});

test('a budget of connections that a move does not fit is told instead of waiting for ever', async () => {
  const main = fleet.fleet.cluster('main');
  const { maxPerDatabase, maxConnections } = main;
  const found = [];
  for (const [perDatabase, request] of [
    [4, { ...toSchema, method: 'online' }],
    [3, toDatabase],
    [2, toDatabase],
    [1, toSchema],
  ] as const) {
    Object.assign(main, { maxPerDatabase: perDatabase });
    found.push(placesOf(await fleet.findings(request)));
  }
  Object.assign(main, { maxPerDatabase, maxConnections });
  const lacking = ['error clusters.main.maxPerDatabase'];
  expect(found).toEqual([lacking, [], lacking, lacking]);
});

test('a run that still has one of the units before it goes first', async () => {
  const catalog = (statements: string) => query(fleet.settings.catalogUrl, statements);
  await catalog(`insert into tenantctl_catalog.runs (id, kind, actor, files_hash, tool) values ('0123456789', 'migrate', 'x', 'y', 'z');
    insert into tenantctl_catalog.run_waves (run, ordinal, name) values ('0123456789', 0, 'all');
    insert into tenantctl_catalog.run_units (run, unit, wave, ordinal, lane, status) values
      ('0123456789', 'pool:${acme.pool}', 0, 0, 'x', 'failed'), ('0123456789', 'schema:house', 0, 1, 'x', 'succeeded')`);
  const found = await fleet.findings(toSchema, 'run-in-flight');
  expect(placesOf(found)).toEqual([`error pool:${acme.pool}`]);
  expect(found[0]?.hint).toContain('runs abort 01234567');
  expect(await fleet.findings({ id: 'house', to: 'database' }, 'run-in-flight')).toEqual([]);
  await catalog(`update tenantctl_catalog.runs set status = 'aborted', finished_at = now()`);
  expect(await fleet.findings(toSchema, 'run-in-flight')).toEqual([]);
});
