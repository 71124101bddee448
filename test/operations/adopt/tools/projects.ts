import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import path from 'node:path';
import { promisify } from 'node:util';
import { resolveBinary } from 'dbmate';
import { drizzle } from 'drizzle-orm/node-postgres';
import { migrate as migrateDrizzle } from 'drizzle-orm/node-postgres/migrator';
import { runner } from 'node-pg-migrate';
import pg from 'pg';
import { migrate as migratePostgres } from 'postgres-migrations';
import type { LedgerTool } from '../../../../src/core/adoption.js';
import type { MigrationFormatName } from '../../../../src/core/settings.js';

/** What the files do, one after the other; the last is what comes after the adoption. */
export const STEPS = [
  {
    name: 'customer',
    text: 'create table customer (id bigint generated always as identity primary key, name text not null);',
  },
  {
    name: 'bill',
    text: 'create table bill (id serial primary key, customer bigint not null references customer, cents int not null default 0);',
  },
  { name: 'note', text: 'alter table bill add column note text;' },
] as const;

/** A unit as its own tool meets it. */
export interface Place {
  /** Of an administrator, with the schema alone on its search path. */
  url: string;
  schema: string;
  directory: string;
}

/** A project of one tool's users. */
export interface ToolProject {
  tool: LedgerTool;
  format: MigrationFormatName;
  /** The files of the first steps. */
  files(steps: number): Record<string, string>;
  /** Migrates a unit with the tool itself, or makes what it documents; tells which files that has applied now. */
  migrate(place: Place): Promise<string[]>;
}

const day = (n: number) => `2024010${n + 1}000000`;
const number = (n: number, digits: number) => String(n + 1).padStart(digits, '0');
const named = (steps: number, nameOf: (name: string, n: number) => string, textOf = (text: string) => text) =>
  Object.fromEntries(STEPS.slice(0, steps).map(({ name, text }, n) => [nameOf(name, n), textOf(text)]));

async function withClient<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

const postgresMigrations: ToolProject = {
  tool: 'postgres-migrations',
  format: 'postgres-migrations',
  files: (steps) => named(steps, (name, n) => `${number(n, 4)}_${name}.sql`),
  // It looks for its table in any schema of the database, so whoever runs it for each schema makes the table first.
  migrate: ({ url, directory }) =>
    withClient(url, async (client) => {
      await client.query(`create table if not exists migrations (id integer primary key, name varchar(100) unique not null,
        hash varchar(40) not null, executed_at timestamp default current_timestamp)`);
      const { rows } = await client.query('select from migrations where id = 0');
      if (rows.length === 0)
        await client.query(
          `insert into migrations (id, name, hash) values (0, 'create-migrations-table', 'e18db593bcde2aca2a408c4d1100f6abba2195df')`,
        );
      return (await migratePostgres({ client }, directory)).map(({ name }) => name);
    }),
};

const nodePgMigrate: ToolProject = {
  tool: 'node-pg-migrate',
  format: 'node-pg-migrate',
  files: (steps) => named(steps, (name, n) => `170000000000${n}_${name}.sql`),
  async migrate({ url, schema, directory }) {
    // Its lock is one for the whole database, and whoever finds it taken fails.
    const options = {
      direction: 'up',
      migrationsTable: 'pgmigrations',
      noLock: true,
      log: () => undefined,
    } as const;
    const done = await runner({ databaseUrl: url, dir: directory, schema, ...options });
    return done.map(({ name }) => name);
  },
};

const dbmate: ToolProject = {
  tool: 'dbmate',
  format: 'dbmate',
  files: (steps) =>
    named(
      steps,
      (name, n) => `${day(n)}_${name}.sql`,
      (text) => `-- migrate:up\n${text}\n\n-- migrate:down\n`,
    ),
  async migrate({ url, schema, directory }) {
    const own = new URL(url);
    own.search = `?sslmode=disable&search_path=${schema}`;
    const args = ['--url', own.href, '--migrations-dir', directory, '--no-dump-schema', 'migrate'];
    const { stdout } = await promisify(execFile)(resolveBinary(), args);
    return [...stdout.matchAll(/Applied: (\S+)/g)].map(([, name = '']) => name);
  },
};

const drizzleOrm: ToolProject = {
  tool: 'drizzle',
  format: 'drizzle',
  files(steps) {
    const tags = STEPS.slice(0, steps).map(({ name }, n) => `${number(n, 4)}_${name}`);
    const entries = tags.map((tag, idx) => ({
      idx,
      version: '7',
      when: 1_000 * (idx + 1),
      tag,
      breakpoints: true,
    }));
    return {
      ...named(steps, (name, n) => `${number(n, 4)}_${name}.sql`),
      'meta/_journal.json': JSON.stringify({ version: '7', dialect: 'postgresql', entries }),
    };
  },
  migrate: ({ url, schema, directory }) =>
    withClient(url, async (client) => {
      const count = async (): Promise<number> => {
        const there = await client.query(`select to_regclass('__drizzle_migrations') is not null as there`);
        if (there.rows[0]?.there !== true) return 0;
        return (await client.query('select from __drizzle_migrations')).rows.length;
      };
      const before = await count();
      await migrateDrizzle(drizzle({ client }), { migrationsFolder: directory, migrationsSchema: schema });
      return Array.from({ length: (await count()) - before }, (_, n) => String(n));
    }),
};

/** Tools that are not at hand here, by the tables and rows that they document. */
interface Documented {
  tool: LedgerTool;
  format: MigrationFormatName;
  nameOf(name: string, n: number): string;
  beside?: Record<string, string>;
  table: string;
  /** The row of a file; the last one alone where the tool keeps a single row. */
  row(file: { name: string; n: number; text: string; fileName: string }): string;
  single?: boolean;
  /** What its ledger says it has, in words that the last file's row is found by. */
  has: string;
}

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

const DOCUMENTED: Documented[] = [
  {
    tool: 'golang-migrate',
    format: 'golang-migrate',
    nameOf: (name, n) => `${number(n, 6)}_${name}.up.sql`,
    table: 'schema_migrations (version bigint not null primary key, dirty boolean not null)',
    row: ({ n }) => `schema_migrations values (${n + 1}, false)`,
    single: true,
    has: 'select version::text as id from schema_migrations where not dirty',
  },
  {
    tool: 'flyway',
    format: 'flyway',
    nameOf: (name, n) => `V${n + 1}__${name}.sql`,
    table: `flyway_schema_history (installed_rank int not null primary key, version varchar(50), description varchar(200) not null,
      type varchar(20) not null, script varchar(1000) not null, checksum int, installed_by varchar(100) not null,
      installed_on timestamp not null default now(), execution_time int not null, success boolean not null)`,
    row: ({ name, n, fileName }) =>
      `flyway_schema_history values (${n + 1}, '${n + 1}', '${name}', 'SQL', '${fileName}', null, 'ci', now(), 5, true)`,
    has: 'select version as id from flyway_schema_history where success order by installed_rank',
  },
  {
    tool: 'prisma',
    format: 'prisma',
    nameOf: (name, n) => `${day(n)}_${name}/migration.sql`,
    beside: { 'migration_lock.toml': 'provider = "postgresql"\n' },
    table: `_prisma_migrations (id varchar(36) primary key not null, checksum varchar(64) not null, finished_at timestamptz,
      migration_name varchar(255) not null, logs text, rolled_back_at timestamptz,
      started_at timestamptz not null default now(), applied_steps_count integer not null default 0)`,
    row: ({ fileName, text }) =>
      `_prisma_migrations values (gen_random_uuid(), '${sha256(text)}', now(), '${path.dirname(fileName)}', null, null, now(), 1)`,
    has: 'select migration_name as id from _prisma_migrations where finished_at is not null order by 1',
  },
  {
    tool: 'rails',
    format: 'postgres-migrations',
    nameOf: (name, n) => `${number(n, 4)}_${day(n)}_${name}.sql`,
    table: `ar_internal_metadata (key varchar primary key, value varchar, created_at timestamp not null default now(), updated_at timestamp not null default now());
      create table schema_migrations (version varchar not null primary key)`,
    row: ({ n }) => `schema_migrations values ('${day(n)}')`,
    has: 'select version as id from schema_migrations order by 1',
  },
  {
    tool: 'laravel',
    format: 'postgres-migrations',
    nameOf: (name, n) => `${number(n, 4)}_2024_01_0${n + 1}_000000_${name}.sql`,
    table: 'migrations (id serial primary key, migration varchar(255) not null, batch int not null)',
    row: ({ name, n }) => `migrations (migration, batch) values ('2024_01_0${n + 1}_000000_${name}', 1)`,
    has: 'select migration as id from migrations order by id',
  },
  {
    tool: 'django',
    format: 'postgres-migrations',
    nameOf: (name, n) => `${number(n, 4)}_billing.${number(n, 4)}_${name}.sql`,
    table: `django_migrations (id bigint primary key generated by default as identity, app varchar(255) not null,
      name varchar(255) not null, applied timestamptz not null)`,
    row: ({ name, n }) =>
      `django_migrations (app, name, applied) values ('billing', '${number(n, 4)}_${name}', now())`,
    has: 'select name as id from django_migrations order by id',
  },
];

/** Its files run by hand and its rows written by hand; what its ledger lacks is what the tool would apply. */
function documented({ tool, format, nameOf, beside = {}, table, row, single, has }: Documented): ToolProject {
  const files = (steps: number) => ({ ...named(steps, nameOf), ...beside });
  return {
    tool,
    format,
    files,
    migrate: ({ url }) =>
      withClient(url, async (client) => {
        const there = await client.query(
          "select from pg_tables where schemaname = current_schema() and tablename = 'customer'",
        );
        if (there.rows.length === 0) {
          const steps = STEPS.slice(0, 2).map((step, n) => ({ ...step, n, fileName: nameOf(step.name, n) }));
          const rows = single === true ? steps.slice(-1) : steps;
          const texts = [`create table ${table}`, ...rows.map((step) => `insert into ${row(step)}`)];
          await client.query([...texts, ...steps.map(({ text }) => text.replace(/;$/, ''))].join(';\n'));
          return steps.map(({ name }) => name);
        }
        const { rows } = await client.query<{ id: string }>(has);
        const newest = rows.at(-1)?.id ?? '';
        const third = STEPS[2];
        const marks = ['3', third.name, day(2)];
        return marks.some((mark) => newest === mark || newest.endsWith(mark)) ? [] : [third.name];
      }),
  };
}

/** A project of every tool whose ledger stands in the schema that it migrates. */
export const PROJECTS: readonly ToolProject[] = [
  postgresMigrations,
  nodePgMigrate,
  dbmate,
  drizzleOrm,
  ...DOCUMENTED.map(documented),
];
