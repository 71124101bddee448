import { capsOf } from '../dist/engine/waves/caps.js';
import { inProcessLanes } from '../dist/engine/waves/lanes.js';
import { planLateWave } from '../dist/engine/waves/plan.js';
import { bareLoop, makeBenchLog, message } from './bare-loop.js';
import {
  TABLES,
  change,
  fleetOfSchemas,
  growingMigrations,
  oneMigration,
  schemasOf,
  timedMigration,
} from './growing-migrations.js';
import { median, milliseconds, withServer } from './support.js';

const SCHEMAS = 2_000;
const ROUNDS = 6;
const RELEASES = 4;
const CONNECTIONS = [1, 2, 4, 8];

/**
 * The limit is a loop that sends one message a schema over open connections. Against it, turn by turn over the same
 * schemas: the lanes of the engine with the same message; a run, from its first unit to its last, with lock, guard,
 * ledger, journal and catalog; and all that the command does for it, with the plan before and the proof of shape after.
 * Each round changes a table of its own, so that none grows into one that nobody has.
 */
export async function fanOut() {
  return withServer(async (server) => {
    const migrations = growingMigrations();
    const fleet = await fleetOfSchemas(server, migrations, SCHEMAS);
    const schemas = schemasOf(SCHEMAS);
    await makeBenchLog(server);
    const results = [];
    let changes = 0;
    for (const connections of CONNECTIONS) {
      const [bare, lanes, units, runs] = [[], [], [], []];
      for (let round = 1; round <= ROUNDS; round += 1) {
        const name = `${connections}_${round}`;
        const table = TABLES[changes++ % TABLES.length];
        await inTurns(round, [
          async () => bare.push(await bareLoop(server, schemas, connections, change(`bare_${name}`, table))),
          async () =>
            lanes.push(await bareLanes(fleet, schemas, connections, change(`lanes_${name}`, table))),
          async () => {
            migrations.add(table);
            const { whole, fromFirstToLast } = await timedMigration(fleet, connections);
            units.push(fromFirstToLast);
            runs.push(whole);
          },
        ]);
      }
      results.push(
        row(`lanes with bare DDL ÷ bare loop, ${connections} connection(s)`, 0.85, bare, lanes),
        row(
          `units of a run with lock, guard, ledger, journal and catalog ÷ bare loop, ${connections} connection(s)`,
          0.6,
          bare,
          units,
        ),
        row(
          `one small change, with its plan and the proof of shape ÷ bare loop, ${connections} connection(s)`,
          undefined,
          bare,
          runs,
        ),
      );
    }
    await fleet.close();
    migrations.remove();
    return results;
  });
}

/** What a release has, over which the proof of shape is spread. */
const FILES = 5;

/**
 * A release of some files, as teams have them: all that the command does for it, the plan and the proof of shape
 * included, against the loop with as many messages a schema.
 */
export async function release() {
  const results = [];
  // A fleet each: the tables of the last would have had every change before.
  for (const connections of CONNECTIONS)
    results.push(await withServer((server) => releases(server, connections)));
  return results;
}

async function releases(server, connections) {
  const migrations = growingMigrations();
  const fleet = await fleetOfSchemas(server, migrations, SCHEMAS);
  const schemas = schemasOf(SCHEMAS);
  await makeBenchLog(server);
  const [bare, runs] = [[], []];
  for (let round = 1; round <= RELEASES; round += 1) {
    const tables = Array.from(
      { length: FILES },
      (_, index) => TABLES[(round * FILES + index) % TABLES.length],
    );
    await inTurns(round, [
      async () => bare.push(await bareRelease(server, schemas, connections, tables, `bare_${round}`)),
      async () => {
        for (const table of tables) migrations.add(table);
        runs.push(await oneMigration(fleet, connections));
      },
    ]);
  }
  await fleet.close();
  migrations.remove();
  const claim = `a release of ${FILES} files, with its plan and the proof of shape ÷ bare loop, ${connections} connection(s)`;
  return row(claim, 0.6, bare, runs);
}

/** Whoever comes later finds more columns and indexes in the table: each is first once. */
async function inTurns(round, contestants) {
  const first = round % contestants.length;
  for (const contest of [...contestants.slice(first), ...contestants.slice(0, first)]) await contest();
}

async function bareRelease(server, schemas, connections, tables, name) {
  let elapsed = 0;
  for (const [index, table] of tables.entries())
    elapsed += await bareLoop(server, schemas, connections, change(`${name}_${index}`, table));
  return elapsed;
}

function row(claim, atLeast, bare, ours) {
  const rate = (times) => (SCHEMAS * 1_000) / median(times);
  const figures = { barePerSecond: rate(bare), oursPerSecond: rate(ours), bareMs: bare, oursMs: ours };
  return { claim, ratio: rate(ours) / rate(bare), atLeast, figures };
}

/** The same messages, on the lanes and connections that a run uses. */
async function bareLanes(fleet, schemas, concurrency, work) {
  const units = schemas.map((schema) => ({
    unit: { id: schema, tier: 'schema', shared: false, cluster: 'main', database: 'app_shared', schema },
    pages: 0,
    named: new Set(),
  }));
  return milliseconds(async () => {
    const executor = inProcessLanes();
    await executor.submit(planLateWave(units, 'name', capsOf(fleet, { concurrency })));
    await executor.work(
      ({ unit }) =>
        fleet.managed(unit.cluster, unit.database, (connection) =>
          connection.message(message(unit.schema, work)),
        ),
      new AbortController().signal,
    );
    await executor.close();
  });
}
