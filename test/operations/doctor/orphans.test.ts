import { describe, expect, test } from 'vitest';
import { query, useServer, withClient } from '../../support/server.js';
import { doctorFleet, rulesOf } from './support.js';

const server = useServer({ wal_level: 'logical' });

test('a schema that is named like a tenant’s and that nobody knows is found, and its remedy drops only an empty one', async () => {
  const made = await doctorFleet(server.current);
  const { database } = await made.show('neighbour');
  const name = made.settings.tenancy.names.schema.replace('{id}', 'ghost');
  await query(server.current.adminUrl(database), `create schema "${name}"`);
  const [finding, ...more] = await made.findings();
  expect(more).toEqual([]);
  expect(finding).toMatchObject({
    rule: 'orphan-schema',
    level: 'warning',
    facts: { schema: name, tenant: 'ghost' },
  });
  await query(server.current.adminUrl(database), `create table "${name}".kept (id int)`);
  const [full] = await made.findings();
  expect(full?.facts.sql).toBeUndefined();
  await query(server.current.adminUrl(database), `drop table "${name}".kept`);
  for (const statement of finding?.facts.sql ?? []) await query(server.current.adminUrl(database), statement);
  expect(await made.findings()).toEqual([]);
});

test('schemas that are named otherwise are the user’s', async () => {
  const made = await doctorFleet(server.current);
  const { database } = await made.show('neighbour');
  for (const name of ['reporting', 't_x', 'T1_Upper'])
    await query(server.current.adminUrl(database), `create schema "${name}"`);
  expect(await made.findings()).toEqual([]);
});

test('a database that is named like a tenant’s is found, with who lives there by its own account', async () => {
  const made = await doctorFleet(server.current);
  const { database } = await made.tenant('own', 'database', 3);
  const name = made.settings.tenancy.names.database.replace('{id}', 'ghost');
  await query(server.current.adminUrl('postgres'), `create database "${name}"`);
  const [empty] = await made.findings();
  expect(empty).toMatchObject({ rule: 'orphan-database', facts: { database: name, inhabitant: null } });
  await query(server.current.adminUrl('postgres'), `drop database "${name}" with (force)`);
  await made.fleet.connections('main').leave(database);
  await query(server.current.adminUrl('postgres'), `create database "${name}" template "${database}"`);
  const [copy] = await made.findings();
  expect(copy?.message).toContain('a copy of tenant own');
  await query(server.current.adminUrl('postgres'), `drop database "${name}" with (force)`);
  expect(await made.findings()).toEqual([]);
});

describe('a role that was made for a tenant', () => {
  const MARK = `'tenantctl: tenant ghost 0123456789abcdef'`;

  test('is dropped by --fix when it has rights on nothing', async () => {
    const made = await doctorFleet(server.current);
    const name = made.settings.tenancy.names.schema.replace('{id}', 'ghost');
    await query(
      server.current.adminUrl('postgres'),
      `create role "${name}" nologin; comment on role "${name}" is ${MARK}`,
    );
    const [finding] = await made.findings();
    expect(finding).toMatchObject({
      rule: 'orphan-role',
      facts: { role: name, tenant: 'ghost', fixable: true },
    });
    expect(rulesOf((await made.fix()).fixed)).toEqual(['orphan-role warning']);
    expect(await made.findings()).toEqual([]);
    expect(
      await query(server.current.adminUrl('postgres'), `select from pg_roles where rolname = '${name}'`),
    ).toEqual([]);
  });

  test('stays, with the reason, when the administrator may not drop it', async () => {
    const made = await doctorFleet(server.current);
    const name = made.settings.tenancy.names.schema.replace('{id}', 'ghost');
    const asSuperuser = (text: string) => query(server.current.superuserUrl('postgres'), text);
    await asSuperuser(`create role "${name}" nologin superuser; comment on role "${name}" is ${MARK}`);
    const { findings, fixed } = await made.fix();
    await asSuperuser(`drop role "${name}"`);
    expect(fixed).toEqual([]);
    expect(findings).toMatchObject([
      {
        rule: 'orphan-role',
        message: expect.stringMatching(/could not be mended: .*drop (role|superusers)/) as string,
        hint: expect.stringMatching(/^Mend what stood in its way/) as string,
      },
    ]);
  });

  test.each([
    ['has rights in a database', (role: string) => `grant usage on schema app to "${role}"`],
    ['may log in', (role: string) => `alter role "${role}" login`],
    [
      'is a member of another',
      (role: string) => `create role "${role}_group"; grant "${role}_group" to "${role}"`,
    ],
    ['has a member', (role: string) => `create role "${role}_member"; grant "${role}" to "${role}_member"`],
  ])('stays when it %s', async (_what, grant) => {
    const made = await doctorFleet(server.current);
    const { database } = await made.show('neighbour');
    const name = made.settings.tenancy.names.schema.replace('{id}', 'ghost');
    await withClient(server.current.adminUrl(database), async (client) => {
      await client.query(`create role "${name}" nologin; comment on role "${name}" is ${MARK}`);
      await client.query(grant(name));
    });
    expect(await made.findings()).toEqual([]);
  });

  test('of another fleet on the same server is none of ours', async () => {
    const other = await doctorFleet(server.current);
    await other.tenant('theirs', 'schema', 3);
    await other.tenant('own', 'database', 3);
    const made = await doctorFleet(server.current);
    await made.tenant('ours', 'schema', 3);
    expect([await made.findings(), await other.findings()]).toEqual([[], []]);
  });
});

describe('a half-made template', () => {
  const NAME = 'tenantctl_making_0123456789abcdef';

  test('is dropped by --fix, unless its builder is at work', async () => {
    const made = await doctorFleet(server.current);
    await query(server.current.adminUrl('postgres'), `create database "${NAME}"`);
    await withClient(server.current.adminUrl('postgres'), async (builder) => {
      await builder.query(`select pg_advisory_lock(1952804453, hashtext('${NAME}'))`);
      expect(await made.findings()).toEqual([]);
    });
    expect(rulesOf((await made.fix()).fixed)).toEqual(['half-made-template info']);
    expect(await made.findings()).toEqual([]);
  });
});

test('a replication slot that nobody reads is found, with the statement that drops it', async () => {
  const made = await doctorFleet(server.current);
  const { database } = await made.show('neighbour');
  await made.inside(database, `select pg_create_logical_replication_slot('left', 'test_decoding')`);
  const [finding] = await made.findings();
  expect(finding).toMatchObject({ rule: 'replication-slot', facts: { slot: 'left', database } });
  expect(finding?.message).toContain('cannot be dropped');
  for (const statement of finding?.facts.sql ?? []) await made.inside(database, statement);
  expect(await made.findings()).toEqual([]);
});
