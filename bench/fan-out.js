import { capsOf } from '../dist/engine/waves/caps.js';
import { inProcessLanes } from '../dist/engine/waves/lanes.js';
import { planLateWave } from '../dist/engine/waves/plan.js';
import {
  TABLES,
  change,
  fleetOfSchemas,
  growingMigrations,
  oneMigration,
  schemasOf,
} from './growing-migrations.js';
import { connect, median, milliseconds, withServer } from './support.js';

const SCHEMAS = 2_000;
const ROUNDS = 3;

/**
 * The limit is a loop that sends one message a schema over open connections. Against it, turn by turn over the same
 * schemas: the lanes of the engine with the same message, and a whole run with its lock, guard, ledger, proof of shape
 * and journal. Each round changes a table of its own, so that none grows into one that nobody has.
 */
export async function fanOut() {
  return withServer(async (server) => {
    const migrations = growingMigrations();
    const fleet = await fleetOfSchemas(server, migrations, SCHEMAS);
    const schemas = schemasOf(SCHEMAS);
    await makeBenchLog(server);
    const results = [];
    let changes = 0;
    for (const connections of [1, 2, 4, 8]) {
      const [bare, lanes, runs] = [[], [], []];
      for (let round = 1; round <= ROUNDS; round += 1) {
        const name = `${connections}_${round}`;
        const table = TABLES[changes++ % TABLES.length];
        bare.push(await bareLoop(server, schemas, connections, change(`bare_${name}`, table)));
        lanes.push(await bareLanes(fleet, schemas, connections, change(`lanes_${name}`, table)));
        migrations.add(table);
        runs.push(await oneMigration(fleet, connections));
      }
      results.push(
        row(`lanes with bare DDL ÷ bare loop, ${connections} connection(s)`, 0.85, bare, lanes),
        row(`whole run ÷ bare loop, ${connections} connection(s), ${SCHEMAS} schemas`, 0.6, bare, runs),
      );
    }
    await fleet.close();
    migrations.remove();
    return results;
  });
}

function row(claim, atLeast, bare, ours) {
  const rate = (times) => (SCHEMAS * 1_000) / median(times);
  const figures = { barePerSecond: rate(bare), oursPerSecond: rate(ours) };
  return { claim, ratio: rate(ours) / rate(bare), atLeast, figures };
}

async function makeBenchLog(server) {
  const admin = await connect(server.adminUrl('app_shared'));
  await admin.query('create schema bench; create table bench.log (schema text, name text)');
  await admin.end();
}

/** Nothing recorded but one row. */
const message = (schema, work) =>
  `begin; set local search_path = "${schema}"; ${work} insert into bench.log values ('${schema}', 'changed'); commit`;

async function bareLoop(server, schemas, connections, work) {
  const clients = await Promise.all(
    Array.from({ length: connections }, () => connect(server.adminUrl('app_shared'))),
  );
  const queue = [...schemas];
  const elapsed = await milliseconds(() =>
    Promise.all(
      clients.map(async (client) => {
        for (let schema = queue.shift(); schema !== undefined; schema = queue.shift())
          await client.query(message(schema, work));
      }),
    ),
  );
  await Promise.all(clients.map((client) => client.end()));
  return elapsed;
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
