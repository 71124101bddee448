import { writeFileSync } from 'node:fs';
import path from 'node:path';
import type { LocalServer } from '../../../src/embedded/server.js';
import { adopt } from '../../../src/operations/adopt/adopt.js';
import type { AdoptReport } from '../../../src/operations/adopt/report.js';
import type { AdoptOptions, AdoptRequest, AdoptRow } from '../../../src/operations/adopt/request.js';
import { type FleetOverrides, type TestFleet, newFleet } from '../../support/fleet.js';
import { newFolder } from '../../support/folder.js';
import { withClient } from '../../support/server.js';

/** What the other tool's files hold, by their name. */
export const FILES = {
  '20240101000000_customer.sql':
    'create table customer (id bigint generated always as identity primary key, name text not null);',
  '20240102000000_bill.sql':
    'create table bill (id serial primary key, customer bigint not null references customer, cents int not null default 0); create index bill_cents on bill (cents);',
  '20240103000000_note.sql': 'alter table bill add column note text;',
  '20240104000000_backfill.sql': "update bill set note = '' where note is null;",
};

export interface LegacyFleet extends TestFleet {
  directory: string;
  database: string;
  owner: string;
  app: string;
  /** As the superuser. */
  inside<Row extends object>(text: string, database?: string): Promise<Row[]>;
  /** As the role that owns the tables. */
  asOwner(text: string, database?: string): Promise<void>;
  /** Makes a schema as dbmate would have made it, with the first files applied. */
  makeSchema(schema: string, applied?: number, database?: string): Promise<void>;
  makeDatabase(database: string): Promise<void>;
  adopt(rows: readonly Partial<AdoptRequest>[], options?: Partial<AdoptOptions>): Promise<AdoptReport>;
  dryRun(rows: readonly Partial<AdoptRequest>[], options?: Partial<AdoptOptions>): Promise<AdoptReport>;
}

let fleets = 0;

/** A directory of dbmate's with these files. */
export function dbmateDirectory(files: Record<string, string> = FILES): string {
  const directory = newFolder();
  for (const [name, text] of Object.entries(files))
    writeFileSync(path.join(directory, name), `-- migrate:up\n${text}\n\n-- migrate:down\n`);
  return directory;
}

/** A fleet that dbmate has made with a loop, of which tenantctl knows nothing: tables of a role of their own, one role for all applications. */
export async function legacyFleet(server: LocalServer, overrides: FleetOverrides = {}): Promise<LegacyFleet> {
  fleets += 1;
  const [owner, app, database] = [`legacy_owner_${fleets}`, `legacy_app_${fleets}`, `legacy_${fleets}`];
  const directory = overrides.migrations ?? dbmateDirectory();
  const made = await newFleet(server, { seed: null, ...overrides, migrations: directory });
  made.settings.migrations.format = 'auto';
  (made.settings.clusters.main as { schemaDatabase: string }).schemaDatabase = database;
  const inside = <Row extends object>(text: string, where = database): Promise<Row[]> =>
    withClient(server.superuserUrl(where), async (client) => {
      const result = await client.query(text);
      return (Array.isArray(result) ? result.at(-1) : result).rows as Row[];
    });
  const asOwner = async (text: string, where = database): Promise<void> => {
    const url = new URL(server.adminUrl(where));
    [url.username, url.password] = [owner, owner];
    await withClient(url.href, (client) => client.query(text));
  };
  const admin = new URL(server.adminUrl('postgres')).username;
  const makeDatabase = async (name: string): Promise<void> => {
    await inside(`create database "${name}" owner ${owner}`, 'postgres');
    await inside(
      `grant create, connect on database "${name}" to ${admin}; alter schema public owner to ${owner}`,
      name,
    );
  };
  await inside(
    `create role ${owner} login password '${owner}'; create role ${app} login password '${app}'; grant ${owner} to ${admin}`,
    'postgres',
  );
  await makeDatabase(database);
  const files = Object.entries(FILES);
  const requests = (rows: readonly Partial<AdoptRequest>[]) => asRows(rows, database);
  const run = (rows: readonly Partial<AdoptRequest>[], options: Partial<AdoptOptions>) =>
    adopt(made.fleet, requests(rows), {
      ledger: 'auto',
      dualWrite: false,
      accept: [],
      dryRun: false,
      ...options,
    });
  return {
    ...made,
    directory,
    database,
    owner,
    app,
    inside,
    asOwner,
    makeDatabase,
    async makeSchema(schema, applied = files.length, where = database) {
      const done = files.slice(0, applied);
      await asOwner(
        [
          `create schema if not exists "${schema}"`,
          `grant usage on schema "${schema}" to ${app}`,
          `alter default privileges in schema "${schema}" grant select, insert, update, delete on tables to ${app}`,
          `set search_path = "${schema}"`,
          'create table schema_migrations (version varchar primary key)',
          ...done.map(([name]) => `insert into schema_migrations values ('${name.slice(0, 14)}')`),
          ...done.map(([, text]) => text.replace(/;$/, '')),
        ].join(';\n'),
        where,
      );
    },
    adopt: (rows, options = {}) => run(rows, options),
    dryRun: (rows, options = {}) => run(rows, { ...options, dryRun: true }),
  };
}

/** A row of a list; whatever is left out is that of a schema of the same name. */
export function adoptRequest(row: Partial<AdoptRequest> & { database: string }): AdoptRequest {
  const id = row.id ?? 'acme';
  return {
    id,
    tier: 'schema',
    cluster: 'main',
    schema: id,
    key: null,
    plan: null,
    owner: null,
    labels: {},
    role: null,
    version: null,
    ledger: null,
    ...row,
  };
}

/** Rows of a list, from its second line on. */
async function* asRows(rows: readonly Partial<AdoptRequest>[], database: string): AsyncGenerator<AdoptRow> {
  for (const [index, row] of rows.entries())
    yield { line: index + 2, request: adoptRequest({ database, ...row }) };
}
