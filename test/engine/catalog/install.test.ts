import { copyFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { openFleet } from '../../../src/engine/context.js';
import { CATALOG, LOCAL_STATE, installOwnSchema } from '../../../src/engine/ledger/own-schema.js';
import { installFleet } from '../../../src/operations/install.js';
import type { Connection } from '../../../src/pg/connection.js';
import { newFleet } from '../../support/fleet.js';
import { dumpSchemas } from '../../support/schema-dump.js';
import { query, useServer, withClient } from '../../support/server.js';
import { directoryOf, failureOf } from '../ledger/directory.js';

const server = useServer();
let databases = 0;

/** An empty database on the server. */
async function newDatabase(): Promise<string> {
  databases += 1;
  const name = `install_${databases}`;
  await query(server.current.adminUrl('postgres'), `create database ${name}`);
  return server.current.adminUrl(name);
}

/** A fleet whose catalog is to be in this database. */
async function fleetAt(catalogUrl: string) {
  const { settings, another } = await newFleet(server.current);
  settings.catalogUrl = catalogUrl;
  return { settings, fleet: another(), another };
}

/** Everything that an installation makes: objects, and the rows that are there from the start. */
async function stateOf(url: string) {
  const rows = await query(
    url,
    `select (select jsonb_agg(l order by entry) from tenantctl.ledger l) as ledger,
            (select jsonb_agg(i) from tenantctl_catalog.installation i) as installation,
            (select jsonb_agg(a order by seq) from tenantctl_catalog.audit a) as audit`,
  );
  return { schemas: await dumpSchemas(url, ['tenantctl', 'tenantctl_catalog']), rows };
}

const schemasOf = async (url: string): Promise<string[]> => {
  const rows = await query<{ name: string }>(
    url,
    `select nspname as name from pg_namespace where nspname like 'tenantctl%' order by 1`,
  );
  return rows.map(({ name }) => name);
};

const OPTIONS = {
  emit: () => undefined,
  reach: () => undefined,
  actor: { actor: 'suite', reason: null, ticket: null },
  signal: new AbortController().signal,
};

describe('installing the catalog', () => {
  test('names what it made, and again changes nothing', async () => {
    const url = await newDatabase();
    const { fleet, another } = await fleetAt(url);
    const first = await installFleet(fleet);
    expect(first.created).toEqual(expect.arrayContaining(['0001_ledger', '0001_fleet', '0002_audit']));
    const before = await stateOf(url);
    expect(await installFleet(fleet)).toEqual({ catalog: fleet.catalogDatabase, created: [] });
    expect(await installFleet(another())).toMatchObject({ created: [] });
    expect(await stateOf(url)).toEqual(before);
  });

  test('makes the database where it is missing', async () => {
    const url = server.current.adminUrl('install_missing');
    const { fleet } = await fleetAt(url);
    expect((await installFleet(fleet)).created).not.toEqual([]);
    expect(await schemasOf(url)).toEqual(['tenantctl', 'tenantctl_catalog']);
  });

  test.each([['in an empty database'], ['with the database still to be made']])(
    'is done once by five who come together %s',
    async (kind) => {
      const empty = kind.includes('empty');
      const url = empty ? await newDatabase() : server.current.adminUrl('install_together');
      const { another } = await fleetAt(url);
      const results = await Promise.all(Array.from({ length: 5 }, () => installFleet(another())));
      expect(results.filter(({ created }) => created.length > 0)).toHaveLength(1);
      const audit = await query(url, 'select action from tenantctl_catalog.audit');
      expect(audit).toEqual([{ action: 'catalog.install' }]);
    },
  );

  test('brings an older catalog to the same shape as a new one', async () => {
    const files = readdirSync(CATALOG.directory).sort();
    const older = directoryOf({});
    for (const name of files.slice(0, 3))
      copyFileSync(path.join(CATALOG.directory, name), path.join(older, name));
    const url = await newDatabase();
    const { fleet, settings } = await fleetAt(url);
    await fleet.catalog(async (connection: Connection) => {
      await installOwnSchema(connection, LOCAL_STATE, 'older');
      await installOwnSchema(connection, { ...CATALOG, directory: older }, 'older');
    });
    expect(await failureOf(openFleet(settings, OPTIONS))).toMatchObject({ code: 'CATALOG_MISSING', exit: 5 });
    const { created } = await installFleet(fleet);
    expect(created).toEqual(files.slice(3).map((name) => path.basename(name, '.sql')));
    const { settings: fresh } = await newFleet(server.current);
    const [upgraded, made] = await Promise.all([stateOf(url), stateOf(fresh.catalogUrl)]);
    expect(upgraded.schemas).toBe(made.schemas);
  });
});

describe('a fleet is not opened', () => {
  test('without a catalog, and the error says how to get one', async () => {
    const { settings } = await fleetAt(await newDatabase());
    const error = await failureOf(openFleet(settings, OPTIONS));
    expect(error).toMatchObject({ code: 'CATALOG_MISSING', exit: 5 });
    expect(error.hint).toContain('tenantctl init');
  });

  test.each([
    ['catalog', CATALOG],
    ['local state', LOCAL_STATE],
  ])('by a tool that is older than its %s, and nothing is changed', async (_what, own) => {
    const url = await newDatabase();
    const { fleet, settings } = await fleetAt(url);
    await installFleet(fleet);
    await query(
      url,
      `insert into tenantctl.ledger (unit, id, name, checksum, tool) values ($1, 99, '0099_later', 'x', '9.9.9')`,
      [own.ledgerKey],
    );
    const before = await stateOf(url);
    const error = await failureOf(installFleet(fleet));
    expect(error).toMatchObject({ code: 'TOOL_OUTDATED', exit: 5, facts: { present: 99 } });
    expect(error.hint).toContain('upgrade');
    if (own === CATALOG)
      expect(await failureOf(openFleet(settings, OPTIONS))).toMatchObject({ code: 'TOOL_OUTDATED' });
    expect(await stateOf(url)).toEqual(before);
  });
});

describe('a schema that this tool did not make', () => {
  test.each([
    ['tenantctl', 'create table tenantctl.ours (n int); insert into tenantctl.ours values (1)'],
    ['tenantctl', 'create table tenantctl.ledger (n int); insert into tenantctl.ledger values (1)'],
    [
      'tenantctl_catalog',
      'create table tenantctl_catalog.ours (n int); insert into tenantctl_catalog.ours values (1)',
    ],
  ])('of the name %s is refused and untouched', async (schema, contents) => {
    const url = await newDatabase();
    await withClient(url, (client) => client.query(`create schema ${schema}; ${contents}`));
    const before = await dumpSchemas(url, [schema]);
    const { fleet } = await fleetAt(url);
    const error = await failureOf(installFleet(fleet));
    expect(error).toMatchObject({ code: 'SCHEMA_TAKEN', exit: 5, facts: { schema } });
    expect(await dumpSchemas(url, [schema])).toBe(before);
    expect(await schemasOf(url)).toEqual([schema]);
    const table = /create table (\S+)/.exec(contents)?.[1] as string;
    expect(await query(url, `select n from ${table}`)).toEqual([{ n: 1 }]);
  });
});
