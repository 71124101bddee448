import type pg from 'pg';
import type { Adoption } from '../../src/core/adoption.js';
import { NO_LIMITS } from '../../src/core/settings.js';
import type { LocalServer } from '../../src/embedded/server.js';
import { auditInsert } from '../../src/engine/catalog/audit.js';
import { clusterUpsert, unitUpsert, versionsUpdate } from '../../src/engine/catalog/places.js';
import { statusUpdate, tenantInserts } from '../../src/engine/catalog/tenants.js';
import { adoptedInsert } from '../../src/engine/local/adopted.js';
import { type Home, admissionUpdate, placementInsert } from '../../src/engine/local/placements.js';
import { driverOf } from '../../src/engine/tiers/registry.js';
import type { RunReport } from '../../src/core/report.js';
import type { Tenant } from '../../src/core/tenant.js';
import { showTenant } from '../../src/operations/show.js';
import { diagnose } from '../../src/operations/doctor/doctor.js';
import { migrate } from '../../src/operations/migrate.js';
import { loadFleetMigrations } from '../../src/operations/migrations.js';
import { sql } from '../../src/pg/sql.js';
import { directoryOf, numbered, writeFiles } from '../engine/ledger/directory.js';
import { type FleetOverrides, type TestFleet, newFleet } from '../support/fleet.js';
import { withClient } from '../support/server.js';

/** What the fleet's own tool has applied to every unit before we come. */
const BEFORE = [
  'create table customer (id bigint generated always as identity primary key, name text not null);',
  'create table bill (id serial primary key, customer bigint not null references customer, cents int not null default 0);',
];

export interface AdoptedFleet extends TestFleet {
  directory: string;
  /** The role that owns the tables, and the one that the application logs in as. */
  owner: string;
  app: string;
  /** Where the tenants' schemas are. */
  database: string;
  add(...texts: string[]): void;
  migrate(): Promise<RunReport>;
  findings(): Promise<string[]>;
  /** As the superuser. */
  inside<Row extends object>(database: string, text: string, values?: unknown[]): Promise<Row[]>;
  /** As the application. */
  asApp<Row extends object>(database: string, text: string): Promise<Row[]>;
  catalog<Row extends object>(text: string, values?: unknown[]): Promise<Row[]>;
  homeOf(tenant: string): Home;
  /** Lets the administrator act as the owner. */
  allow(): Promise<void>;
  /** Gives the administrator the rights of the owner as well. */
  inherit(): Promise<void>;
  show(tenant: string): Promise<Tenant>;
}

export interface AdoptedOptions extends FleetOverrides {
  schemas?: string[];
  databases?: string[];
  /** May the administrator act as the owner? */
  member?: boolean;
  dualWrite?: boolean;
  ledger?: Adoption['ledger'] | 'dbmate';
}

let fleets = 0;

/** A fleet that another tool had made, written down by hand as `adopt` would: schemas and databases with names of their own. */
export async function adoptedFleet(server: LocalServer, options: AdoptedOptions = {}): Promise<AdoptedFleet> {
  const { schemas = ['acme', 'globex'], databases = [], member = true, dualWrite = false } = options;
  fleets += 1;
  const [owner, app] = [`app_owner_${fleets}`, `app_${fleets}`];
  const directory = options.migrations ?? directoryOf(numbered(...BEFORE));
  const made = await newFleet(server, { migrations: directory, seed: null, ...options });
  const { fleet, settings } = made;
  const cluster = fleet.cluster('main');
  const database = cluster.schemaDatabase;
  const superuser = <Row extends object>(where: string, text: string, values: unknown[] = []) =>
    withClient(
      server.superuserUrl(where),
      async (client) => (await client.query(text, values)).rows as Row[],
    );
  const as = <Row extends object>(role: string, where: string, text: string) => {
    const url = new URL(server.adminUrl(where));
    url.username = role;
    url.password = role;
    return withClient(url.href, async (client) => last(await client.query(text)).rows as Row[]);
  };
  const admin = new URL(server.adminUrl('postgres')).username;
  for (const role of [owner, app])
    await superuser('postgres', `create role ${role} login password '${role}'`);
  const allow = async (): Promise<void> => {
    await superuser('postgres', await membershipText(server, owner, admin));
  };
  if (member) await allow();
  const makeDatabase = async (name: string): Promise<void> => {
    await superuser('postgres', `create database "${name}" owner ${owner}`);
    await superuser('postgres', `grant create, connect on database "${name}" to ${admin}`);
  };
  const fill = (where: string, schema: string) =>
    as(
      owner,
      where,
      [
        `create schema if not exists "${schema}"`,
        `grant usage on schema "${schema}" to ${app}`,
        `alter default privileges in schema "${schema}" grant select, insert, update, delete on tables to ${app}`,
        `alter default privileges in schema "${schema}" grant usage on sequences to ${app}`,
        `set search_path = "${schema}"`,
        'create table schema_migrations (version varchar(255) primary key)',
        "insert into schema_migrations values ('0001'), ('0002')",
        ...BEFORE.map((text) => text.replace(/;$/, '')),
        "insert into customer (name) values ('one'), ('two')",
        'insert into bill (customer, cents) values (1, 5), (2, 7)',
      ].join(';\n'),
    );
  await makeDatabase(database);
  for (const id of schemas) await fill(database, `Legacy ${id}`);
  const names = databases.map((id) => `legacy-${id}-${fleets}`);
  for (const name of names) {
    await makeDatabase(name);
    await superuser(name, `alter schema public owner to ${owner}`);
    await fill(name, 'public');
  }
  const homes = [
    ...schemas.map((id) => homeAt(id, 'schema' as const, database, `Legacy ${id}`, app)),
    ...databases.map((id, index) => homeAt(id, 'database' as const, names[index] as string, 'public', app)),
  ];
  const adopted = (schema: string): Adoption => ({
    owner,
    ledger:
      options.ledger === undefined || options.ledger === 'dbmate'
        ? { tool: 'dbmate', schema, table: 'schema_migrations' }
        : options.ledger,
    dualWrite,
    tolerated: [],
  });
  const files = (await loadFleetMigrations(fleet)).slice(0, BEFORE.length);
  const newest = files.at(-1) as { id: number; name: string };
  for (const home of homes) {
    const unit = unitOf(home, adopted(home.placement.schema));
    await fleet.managed('main', home.placement.database, (connection) =>
      connection.atomically([
        placementInsert(home, unit.ledgerKey),
        admissionUpdate(home, 'active'),
        adoptedInsert([{ ...unit, adopted: adopted(home.placement.schema) }], fleet.catalogDatabase),
        sql`insert into tenantctl.ledger (unit, id, name, checksum, tool)
          select ${unit.ledgerKey}, * , 'suite' from unnest(${files.map(({ id }) => id)}::int[], ${files.map(({ name }) => name)}::text[], ${files.map(({ checksum }) => checksum)}::text[])`,
        sql`select tenantctl.open_to_applications(${settings.tenancy.setting}, ${settings.tenancy.columnType})`,
      ]),
    );
    const { id, key } = home.tenant;
    await fleet.catalog((connection) =>
      connection.atomically([
        clusterUpsert(cluster),
        unitUpsert(unit),
        ...tenantInserts({
          id,
          key,
          plan: null,
          owner: null,
          labels: {},
          placement: home.placement,
          unit: unit.id,
        }),
        statusUpdate(id, 'active'),
        versionsUpdate([{ unit: unit.id, version: { id: newest.id, name: newest.name } }]),
        auditInsert(fleet.actor, { action: 'tenant.provision', tenant: id, unit: unit.id, details: {} }),
      ]),
    );
  }
  let count = BEFORE.length;
  return {
    ...made,
    directory,
    owner,
    app,
    database,
    add(...texts) {
      const all = numbered(...Array<string>(count).fill(''), ...texts);
      writeFiles(directory, Object.fromEntries(Object.entries(all).slice(count)));
      count += texts.length;
    },
    async migrate() {
      const done = await migrate(fleet, { select: [], allowEmpty: false, dryRun: false });
      if ('plan' in done) throw new Error('it was a dry run');
      return done;
    },
    findings: async () =>
      (await diagnose(fleet, { fix: false, dryRun: false })).findings.map(
        ({ rule, where, message }) => `${rule} ${where}: ${message}`,
      ),
    inside: superuser,
    allow,
    inherit: async () => {
      const text = await membershipText(server, owner, admin);
      await superuser('postgres', text.replace('inherit false', 'inherit true'));
    },
    show: async (tenant) => (await showTenant(fleet, tenant)).tenant,
    asApp: (where, text) => as(app, where, text),
    catalog: (text, values) =>
      withClient(settings.catalogUrl, async (client) => (await client.query(text, values)).rows as never[]),
    homeOf: (tenant) => homes.find((home) => home.tenant.id === tenant) as Home,
  };
}

function last(result: pg.QueryResult | pg.QueryResult[]): pg.QueryResult {
  return Array.isArray(result) ? (result.at(-1) as pg.QueryResult) : result;
}

function unitOf(home: Home, adopted: Adoption) {
  return { ...driverOf(home.placement.tier).unit(home.tenant.id, home.placement), adopted };
}

function homeAt(
  id: string,
  tier: 'schema' | 'database',
  database: string,
  schema: string,
  role: string,
): Home {
  return {
    tenant: { id, key: keyOf(id), plan: null, owner: null, labels: {}, limits: NO_LIMITS },
    placement: { tier, cluster: 'main', database, schema, pool: null, role },
    epoch: 1,
  };
}

/** A uuid of the id's own. */
function keyOf(id: string): string {
  const digits = Buffer.from(id).toString('hex').padStart(12, '0').slice(-12);
  return `00000000-0000-4000-8000-${digits}`;
}

/** Lets the administrator act as a role, and no more where the server can tell the two apart. */
export async function membershipText(server: LocalServer, role: string, member: string): Promise<string> {
  const [row] = await withClient(
    server.superuserUrl('postgres'),
    async (client) =>
      (
        await client.query<{ options: boolean }>(
          "select current_setting('server_version_num')::int >= 160000 as options",
        )
      ).rows,
  );
  return `grant ${role} to ${member}${row?.options ? ' with inherit false, set true' : ''}`;
}
