import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import pg from 'pg';
import { migrate } from '../dist/operations/migrate.js';
import { provisionMany } from '../dist/operations/provision-many.js';
import {
  INVOICING,
  connect,
  backendMemory,
  median,
  milliseconds,
  openFleet,
  tenants,
  withServer,
} from './support.js';

const SCHEMAS = 1_000;
const PEER_SAMPLE = 100;
const ROUNDS = 3;
const FIRST_FREE_ID = 15;

const change = (n) =>
  `alter table customer add column bench_${n} text; create index bench_${n}_idx on customer (bench_${n});`;

/** A copy of the sample product's migrations that grows by one file a round. */
function growingMigrations() {
  const folder = mkdtempSync(path.join(tmpdir(), 'tenantctl-bench-migrations-'));
  cpSync(`${INVOICING}migrations`, folder, { recursive: true });
  let next = FIRST_FREE_ID;
  return {
    folder,
    add() {
      writeFileSync(
        path.join(folder, `${String(next).padStart(4, '0')}_bench_${next}.sql`),
        change(`ours_${next}`),
      );
      next += 1;
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

async function fleetOfSchemas(server, migrations, count) {
  const fleet = await openFleet(server, {
    migrations: { directory: migrations.folder, format: 'postgres-migrations', onForeignSchema: 'refuse' },
  });
  const made = await provisionMany(fleet, tenants(count, 't', 'schema'), { dryRun: false, concurrency: 4 });
  if (made.failed.length > 0)
    throw new Error(`${made.failed.length} tenants failed: ${made.failed[0].message}`);
  return fleet;
}

/** The limit: one message a schema on reused connections, nothing recorded but one row. */
async function bareLoop(server, schemas, connections, n) {
  const clients = await Promise.all(
    Array.from({ length: connections }, async () => {
      const client = await connect(server.adminUrl('app_shared'));
      return client;
    }),
  );
  const queue = [...schemas];
  const elapsed = await milliseconds(() =>
    Promise.all(
      clients.map(async (client) => {
        for (let schema = queue.pop(); schema !== undefined; schema = queue.pop()) {
          await client.query(
            `begin; set local search_path = "${schema}"; ${change(`bare_${n}`)} insert into bench.log values ('${schema}', ${n}); commit`,
          );
        }
      }),
    ),
  );
  await Promise.all(clients.map((client) => client.end()));
  return elapsed;
}

/** Rates at equal connections, the two turn by turn over the same schemas. */
export async function fanOut() {
  return withServer(async (server) => {
    const migrations = growingMigrations();
    const fleet = await fleetOfSchemas(server, migrations, SCHEMAS);
    const schemas = Array.from({ length: SCHEMAS }, (_, index) => `tenant_t${index + 1}`);
    await makeBenchLog(server);
    const results = [];
    let n = 0;
    for (const connections of [1, 2, 4]) {
      const [bare, ours] = [[], []];
      for (let round = 0; round < ROUNDS; round += 1) {
        n += 1;
        bare.push(await bareLoop(server, schemas, connections, n));
        migrations.add();
        ours.push(await oneMigration(fleet, connections));
      }
      results.push({
        claim: `fan-out rate ÷ bare loop, ${connections} connection(s), ${SCHEMAS} schemas`,
        ratio: median(bare) / median(ours),
        atLeast: 0.6,
        figures: {
          barePerSecond: (SCHEMAS * 1_000) / median(bare),
          oursPerSecond: (SCHEMAS * 1_000) / median(ours),
        },
      });
    }
    results.push(...(await peers(server, fleet, migrations, schemas)));
    await fleet.close();
    migrations.remove();
    return results;
  });
}

async function makeBenchLog(server) {
  const admin = await connect(server.adminUrl('app_shared'));
  await admin.query('create schema bench; create table bench.log (schema text, n int)');
  await admin.end();
}

async function oneMigration(fleet, connections) {
  const began = performance.now();
  const report = await migrate(fleet, {
    select: [],
    concurrency: connections,
    allowEmpty: false,
    dryRun: false,
  });
  if (report.totals.failed > 0) throw new Error(report.failures[0].message);
  return performance.now() - began;
}

/**
 * Two libraries in a loop over a sample, each with what it needs made beforehand and not timed, and our
 * own run between them: on one connection like theirs, and on the four that it would use.
 * (postgres-migrations cannot use more than one: its lock is the same for every schema of a database.)
 */
async function peers(server, fleet, migrations, schemas) {
  const sample = schemas.slice(0, PEER_SAMPLE);
  const rates = { 'postgres-migrations': [], 'node-pg-migrate': [], alone: [], lanes: [] };
  for (let round = 0; round < ROUNDS; round += 1) {
    rates['postgres-migrations'].push(await loopPostgresMigrations(server, sample, round));
    migrations.add();
    rates.alone.push((SCHEMAS * 1_000) / (await oneMigration(fleet, 1)));
    rates['node-pg-migrate'].push(await loopNodePgMigrate(server, sample, round));
    migrations.add();
    rates.lanes.push((SCHEMAS * 1_000) / (await oneMigration(fleet, 4)));
  }
  return ['postgres-migrations', 'node-pg-migrate'].flatMap((peer) => [
    peerRow(`fan-out rate ÷ ${peer} in a loop`, rates.lanes, rates[peer], { atLeast: 2.5 }),
    peerRow(`the same on one connection each, ${peer}`, rates.alone, rates[peer], {}),
  ]);
}

function peerRow(claim, ours, theirs, target) {
  const figures = { peerPerSecond: median(theirs), oursPerSecond: median(ours) };
  return { claim, ratio: median(ours) / median(theirs), ...target, figures };
}

async function loopPostgresMigrations(server, schemas, round) {
  const { migrate: run } = createRequire(import.meta.url)('postgres-migrations');
  const folder = mkdtempSync(path.join(tmpdir(), 'tenantctl-bench-peer-'));
  for (let id = 1; id <= round + 1; id += 1)
    writeFileSync(path.join(folder, `000${id}_change_${id}.sql`), change(`peer_a${id}`));
  const client = await connect(server.adminUrl('app_shared'));
  // Its table must be there beforehand: it looks for it in any schema and then fails in every other.
  for (const schema of round === 0 ? schemas : []) {
    await client.query(
      `set search_path = "${schema}"; create table migrations (id integer primary key, name varchar(100) unique not null, hash varchar(40) not null, executed_at timestamp default current_timestamp); insert into migrations (id, name, hash) values (0, 'create-migrations-table', 'e18db593bcde2aca2a408c4d1100f6abba2195df')`,
    );
  }
  const elapsed = await milliseconds(async () => {
    for (const schema of schemas) {
      await client.query(`set search_path = "${schema}"`);
      await run({ client }, folder);
    }
  });
  await client.end();
  rmSync(folder, { recursive: true, force: true });
  return (schemas.length * 1_000) / elapsed;
}

async function loopNodePgMigrate(server, schemas, round) {
  const { runner } = await import('node-pg-migrate');
  const folder = mkdtempSync(path.join(tmpdir(), 'tenantctl-bench-peer-'));
  for (let id = 0; id <= round; id += 1)
    writeFileSync(path.join(folder, `170000000000${id}_change_${id}.sql`), change(`peer_b${id}`));
  const client = await connect(server.adminUrl('app_shared'));
  const elapsed = await milliseconds(async () => {
    for (const schema of schemas) {
      await runner({
        dbClient: client,
        dir: folder,
        direction: 'up',
        migrationsTable: 'pgmigrations',
        schema,
        migrationsSchema: schema,
        log: () => undefined,
      });
    }
  });
  await client.end();
  rmSync(folder, { recursive: true, force: true });
  return (schemas.length * 1_000) / elapsed;
}

/** Five thousand schemas in one run: the rate at its end against the rate at its beginning, and memory. */
export async function decay() {
  const count = 5_000;
  return withServer(async (server) => {
    const migrations = growingMigrations();
    const fleet = await fleetOfSchemas(server, migrations, count);
    migrations.add();
    const finished = [];
    fleet.options.emit = (event) => {
      if (event.type === 'unit.finished') finished.push(performance.now());
    };
    const memory = watchBackends(server);
    await oneMigration(fleet, 4);
    const largest = await memory.stop();
    await fleet.close();
    migrations.remove();
    const rate = (from, to) => ((to - from) * 1_000) / (finished[to - 1] - finished[from]);
    return [
      {
        claim: 'rate over the last 1,000 of 5,000 schemas ÷ rate over the first 1,000',
        ratio: rate(count - 1_000, count) / rate(0, 1_000),
        atLeast: 0.9,
        figures: { first: rate(0, 1_000), last: rate(count - 1_000, count) },
      },
      {
        claim: 'largest backend of the run, MB',
        ratio: largest,
        atMost: 100,
        figures: { megabytes: largest },
      },
    ];
  });
}

function watchBackends(server) {
  const client = new pg.Client({ connectionString: server.adminUrl('postgres') });
  let largest = 0;
  let stopped = false;
  const look = async () => {
    const { rows } = await client.query(
      `select pid from pg_stat_activity where datname = 'app_shared' and pid <> pg_backend_pid()`,
    );
    const sizes = await Promise.all(rows.map(({ pid }) => backendMemory(pid)));
    largest = Math.max(largest, ...sizes.filter((size) => size !== null));
  };
  const loop = (async () => {
    await client.connect();
    while (!stopped) {
      await look();
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    await client.end();
  })();
  return {
    async stop() {
      stopped = true;
      await loop;
      return largest;
    },
  };
}
