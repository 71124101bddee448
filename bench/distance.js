import net from 'node:net';
import { change, fleetOfSchemas, growingMigrations, oneMigration, schemasOf } from './growing-migrations.js';
import { connect, median, milliseconds, withServer } from './support.js';

const SCHEMAS = 300;
const ROUNDS = 3;
const ROUND_TRIP_MS = 3;

/**
 * A server that is some way off: everything to it goes through a proxy that holds back what is sent for the time of a
 * round trip. A run, which sends one message a schema, against a loop that sends what has to be said statement by
 * statement; each on one connection.
 */
export async function distance() {
  return withServer(async (server) => {
    const proxy = await delayingProxy(server.port, ROUND_TRIP_MS);
    const far = (database) => server.adminUrl(database).replace(`:${server.port}/`, `:${proxy.port}/`);
    const migrations = growingMigrations();
    const near = await fleetOfSchemas(server, migrations, SCHEMAS);
    await near.close();
    const fleet = await fleetOfSchemas({ ...server, adminUrl: far, port: proxy.port }, migrations, 0);
    const [steps, runs] = [[], []];
    for (let round = 0; round < ROUNDS; round += 1) {
      steps.push(await statementByStatement(far('app_shared'), round));
      migrations.add();
      runs.push(await oneMigration(fleet, 1));
    }
    await fleet.close();
    migrations.remove();
    await proxy.close();
    return [
      {
        claim: `run ÷ statement by statement, ${ROUND_TRIP_MS} ms away, one connection each`,
        ratio: median(steps) / median(runs),
        atLeast: 4,
        figures: {
          stepsPerSecond: (SCHEMAS * 1_000) / median(steps),
          oursPerSecond: (SCHEMAS * 1_000) / median(runs),
        },
      },
    ];
  });
}

/** The same care as a run takes: a lock, a look at the version, the change, a row in a ledger. */
async function statementByStatement(url, round) {
  const client = await connect(url);
  await client.query('create table if not exists public.bench_ledger (schema text, id int)');
  const [column, index] = change(`steps_${round}`).split('; ');
  const elapsed = await milliseconds(async () => {
    for (const schema of schemasOf(SCHEMAS)) {
      await client.query('begin');
      await client.query(`set local search_path = "${schema}"`);
      await client.query(`set local lock_timeout = '2s'`);
      await client.query(`set local statement_timeout = '60s'`);
      await client.query('select pg_advisory_xact_lock(hashtext($1))', [schema]);
      await client.query('select max(id) from public.bench_ledger where schema = $1', [schema]);
      await client.query(column);
      await client.query(index);
      await client.query('insert into public.bench_ledger values ($1, $2)', [schema, round]);
      await client.query('commit');
    }
  });
  await client.end();
  return elapsed;
}

/** What a client sends arrives so much later, in its order; what the server answers goes straight back. */
async function delayingProxy(to, delayMs) {
  const sockets = new Set();
  const proxy = net.createServer((client) => {
    const server = net.connect(to, '127.0.0.1');
    for (const socket of [client, server]) {
      sockets.add(socket);
      socket.setNoDelay(true);
      socket.on('error', () => socket.destroy());
      socket.on('close', () => sockets.delete(socket));
    }
    client.on('data', (chunk) => setTimeout(() => server.write(chunk), delayMs));
    client.on('end', () => setTimeout(() => server.end(), delayMs));
    server.pipe(client);
  });
  await new Promise((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  return {
    port: proxy.address().port,
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => proxy.close(resolve));
    },
  };
}
