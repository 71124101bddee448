import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import {
  change,
  fleetOfSchemas,
  growingMigrations,
  schemasOf,
  timedMigration,
} from './growing-migrations.js';
import { connect, median, milliseconds, withServer } from './support.js';

const PEERS = { 'postgres-migrations': postgresMigrations, 'node-pg-migrate': nodePgMigrate, dbmate };
const SCHEMAS = 1_000;
const SAMPLE = 100;
const ROUNDS = 3;
const require = createRequire(import.meta.url);

/**
 * What teams have: a tool for one target in a loop over the schemas, over a sample, each with what it needs made
 * beforehand and not timed, and our own run between them: on one connection like theirs, and on four. Ours goes on, when all is
 * migrated, to prove that every schema has become what it should be, which none of them does; that is a row of its own.
 * (postgres-migrations cannot use more than one: its lock is the same for every schema of a database.)
 */
export async function loops() {
  return withServer(async (server) => {
    const migrations = growingMigrations();
    const fleet = await fleetOfSchemas(server, migrations, SCHEMAS);
    const sample = await twins(server, schemasOf(1)[0]);
    const rates = Object.fromEntries(Object.keys(PEERS).map((peer) => [peer, []]));
    const [alone, lanes, proved] = [[], [], []];
    const perSecond = (ms) => (SCHEMAS * 1_000) / ms;
    const ours = (connections) => {
      migrations.add();
      return timedMigration(fleet, connections);
    };
    for (let round = 0; round < ROUNDS; round += 1) {
      for (const [peer, loop] of Object.entries(PEERS))
        rates[peer].push((SAMPLE * 1_000) / (await loop(server, sample, round)));
      alone.push(perSecond((await ours(1)).untilLast));
      const { untilLast, whole } = await ours(4);
      lanes.push(perSecond(untilLast));
      proved.push(perSecond(whole));
    }
    await fleet.close();
    migrations.remove();
    return Object.entries(rates).flatMap(([peer, theirs]) => [
      row(`run ÷ ${peer} in a loop`, lanes, theirs, { atLeast: peer === 'dbmate' ? 15 : 2.5 }),
      row(`the same with the proof of every schema's shape, ${peer}`, proved, theirs, {}),
      row(`the same on one connection each, ${peer}`, alone, theirs, {}),
    ]);
  });
}

/** Schemas of their own for the others: what they change in a unit of ours would not pass the proof of shape. */
async function twins(server, schema) {
  const client = await connect(server.adminUrl('app_shared'));
  const names = Array.from({ length: SAMPLE }, (_, index) => `peer_${index + 1}`);
  for (const name of names)
    await client.query(
      `create schema ${name}; create table ${name}.customer (like ${schema}.customer including all)`,
    );
  await client.end();
  return names;
}

function row(claim, ours, theirs, target) {
  const figures = { peerPerSecond: median(theirs), oursPerSecond: median(ours) };
  return { claim, ratio: median(ours) / median(theirs), ...target, figures };
}

/** A folder with as many files as there were rounds; a tool runs the newest. */
async function withFolder(files, work) {
  const folder = mkdtempSync(path.join(tmpdir(), 'tenantctl-bench-peer-'));
  for (const [name, text] of Object.entries(files)) writeFileSync(path.join(folder, name), text);
  try {
    return await milliseconds(() => work(folder));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const filesUpTo = (round, name) =>
  Object.fromEntries(Array.from({ length: round + 1 }, (_, index) => name(index)));

async function postgresMigrations(server, schemas, round) {
  const { migrate: run } = require('postgres-migrations');
  const client = await connect(server.adminUrl('app_shared'));
  // Its table must be there beforehand: it looks for it in any schema and then fails in every other.
  for (const schema of round === 0 ? schemas : []) {
    await client.query(
      `set search_path = "${schema}"; create table migrations (id integer primary key, name varchar(100) unique not null, hash varchar(40) not null, executed_at timestamp default current_timestamp); insert into migrations (id, name, hash) values (0, 'create-migrations-table', 'e18db593bcde2aca2a408c4d1100f6abba2195df')`,
    );
  }
  const files = filesUpTo(round, (index) => [
    `000${index + 1}_change_${index}.sql`,
    change(`peer_a${index}`),
  ]);
  const elapsed = await withFolder(files, async (folder) => {
    for (const schema of schemas) {
      await client.query(`set search_path = "${schema}"`);
      await run({ client }, folder);
    }
  });
  await client.end();
  return elapsed;
}

async function nodePgMigrate(server, schemas, round) {
  const { runner } = await import('node-pg-migrate');
  const client = await connect(server.adminUrl('app_shared'));
  const files = filesUpTo(round, (index) => [`170000000000${index}_change.sql`, change(`peer_b${index}`)]);
  const elapsed = await withFolder(files, async (dir) => {
    for (const schema of schemas) {
      await runner({
        dbClient: client,
        dir,
        direction: 'up',
        migrationsTable: 'pgmigrations',
        schema,
        migrationsSchema: schema,
        log: () => undefined,
      });
    }
  });
  await client.end();
  return elapsed;
}

let installed;

/** From npm when it is needed: not every platform that it names can be had everywhere, so it is no dependency. */
async function dbmateBinary() {
  if (installed !== undefined) return installed;
  const folder = mkdtempSync(path.join(tmpdir(), 'tenantctl-bench-dbmate-'));
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  await promisify(execFile)('npm', ['install', '--prefix', folder, '--no-save', 'dbmate@2.36.0']);
  const own = createRequire(path.join(folder, 'package.json'));
  installed = own.resolve(`@dbmate/${process.platform}-${process.arch}/bin/dbmate`);
  return installed;
}

/** A process a schema, of the binary itself and not of its slower start through node. */
async function dbmate(server, schemas, round) {
  const binary = await dbmateBinary();
  const files = filesUpTo(round, (index) => [
    `2026010100000${index}_change.sql`,
    `-- migrate:up\n${change(`peer_c${index}`)}\n-- migrate:down\n`,
  ]);
  return withFolder(files, async (folder) => {
    for (const schema of schemas) {
      const url = `${server.adminUrl('app_shared')}?sslmode=disable&search_path=${schema}`;
      await promisify(execFile)(binary, ['--url', url, '-d', folder, '--no-dump-schema', 'up']);
    }
  });
}
