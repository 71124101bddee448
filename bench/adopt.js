import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { adopt } from '../dist/operations/adopt/adopt.js';
import { discover } from '../dist/operations/adopt/discover.js';
import { connect, milliseconds, openFleet, withServer } from './support.js';

const SCHEMAS = Number(process.env.BENCH_SCHEMAS ?? 5_000);
const DATABASES = Number(process.env.BENCH_DATABASES ?? 200);
const TABLES = 10;
const OWNER = 'legacy_owner';
const DATABASE = 'legacy';
const MAKERS = 4;

/** A fleet that dbmate has made in a loop: found, read, verified and taken in. */
export async function adoptFleet() {
  return withServer(async (server) => {
    const migrations = dbmateFiles();
    await makeFleet(server, migrations.texts);
    const fleet = await openFleet(server, settingsFor(server, migrations.directory));
    try {
      return await measure(fleet);
    } finally {
      await fleet.close();
      rmSync(migrations.directory, { recursive: true });
    }
  });
}

async function measure(fleet) {
  const heap = heapWatch();
  let found = [];
  const discovery = await milliseconds(async () => {
    // Both patterns together would mean schemas in those databases.
    const looks = [
      await discover(fleet, { schemas: 'legacy_%', databases: null, sql: null }),
      await discover(fleet, { schemas: null, databases: 'legacydb_%', sql: null }),
    ];
    found = looks.flatMap(({ units }) => units.map((unit) => ({ ...unit, id: `${unit.tier}-${unit.id}` })));
  });
  const taking = await milliseconds(() => all(fleet, found, { dryRun: false }, 'adopted'));
  const megabytes = heap.stop();
  const again = await milliseconds(() => all(fleet, found, { dryRun: true }, 'existing'));
  return [
    {
      claim: `${SCHEMAS} schemas and ${DATABASES} databases discovered, read, verified and adopted, seconds`,
      ratio: (discovery + taking) / 1_000,
      atMost: 60,
      figures: { discovery, taking },
    },
    { claim: 'the same again with --dry-run, seconds', ratio: again / 1_000, atMost: 20 },
    { claim: 'memory of the process, largest heap in MB', ratio: megabytes, atMost: 150 },
  ];
}

async function all(fleet, found, { dryRun }, count) {
  const options = { ledger: 'auto', dualWrite: false, accept: [], dryRun };
  const report = await adopt(fleet, rowsOf(found), options);
  if (report[count] === SCHEMAS + DATABASES && report.refused.length === 0) return;
  const { adopted, existing, problems, refused } = report;
  throw new Error(
    JSON.stringify({ adopted, existing, problems: problems.slice(0, 3), refused: refused.slice(0, 3) }),
  );
}

async function* rowsOf(requests) {
  for (const [index, request] of requests.entries()) yield { line: index + 2, request };
}

function heapWatch() {
  let largest = 0;
  const timer = setInterval(() => {
    largest = Math.max(largest, process.memoryUsage().heapUsed);
  }, 50);
  return {
    stop() {
      clearInterval(timer);
      return largest / 2 ** 20;
    },
  };
}

function dbmateFiles() {
  const directory = mkdtempSync(path.join(tmpdir(), 'tenantctl-bench-adopt-'));
  const texts = Array.from({ length: 2 * TABLES }, (_, n) => textOf(n));
  const names = texts.map((_, n) => `2024${String(n).padStart(4, '0')}000000_step.sql`);
  for (const [n, text] of texts.entries())
    writeFileSync(path.join(directory, names[n]), `-- migrate:up\n${text}\n\n-- migrate:down\n`);
  const versions = names.map((name) => name.slice(0, 14));
  const rows = versions.map((version) => `('${version}')`).join(', ');
  const ledger = `create table schema_migrations (version varchar primary key); insert into schema_migrations values ${rows};`;
  return { directory, texts: [...texts, ledger] };
}

function textOf(n) {
  const table = `item_${n % TABLES}`;
  return n < TABLES
    ? `create table ${table} (id bigint generated always as identity primary key, name text not null, made timestamptz default now()); create index ${table}_name on ${table} (name);`
    : `alter table ${table} add column note text;`;
}

async function makeFleet(server, texts) {
  const superuser = await connect(server.superuserUrl('postgres'));
  await superuser.query(
    `create role ${OWNER} login; grant ${OWNER} to ${new URL(server.adminUrl('postgres')).username}`,
  );
  for (const name of [DATABASE, 'legacydb_template'])
    await superuser.query(`create database ${name} owner ${OWNER}`);
  await inside(
    server,
    'legacydb_template',
    `alter schema public owner to ${OWNER}; set role ${OWNER}; ${texts.join('\n')}`,
  );
  await makeSchemas(server, texts);
  for (let n = 0; n < DATABASES; n += 1) {
    await superuser.query(`create database legacydb_${n} template legacydb_template owner ${OWNER}`);
  }
  await superuser.query('drop database legacydb_template');
  await superuser.end();
}

async function makeSchemas(server, texts) {
  await Promise.all(
    Array.from({ length: MAKERS }, async (_, maker) => {
      for (let n = maker; n < SCHEMAS; n += MAKERS * 200) {
        const own = [];
        for (let at = n; at < Math.min(SCHEMAS, n + MAKERS * 200); at += MAKERS) own.push(at);
        // A backend that has made many schemas is slow.
        await inside(
          server,
          DATABASE,
          ...own.map(
            (at) =>
              `set role ${OWNER}; create schema legacy_${at}; set search_path = legacy_${at}; ${texts.join('\n')}`,
          ),
        );
      }
    }),
  );
}

async function inside(server, database, ...texts) {
  const client = await connect(server.superuserUrl(database));
  for (const text of texts) await client.query(text);
  await client.end();
}

function settingsFor(server, directory) {
  return {
    migrations: { directory, format: 'dbmate', onForeignSchema: 'refuse' },
    clusters: {
      main: {
        name: 'main',
        url: server.adminUrl('postgres'),
        app: { host: '127.0.0.1', port: server.port },
        region: null,
        labels: {},
        maxConnections: 20,
        maxPerDatabase: 8,
        pools: {},
        schemaDatabase: DATABASE,
      },
    },
  };
}
