import { randomInt, randomUUID } from 'node:crypto';
import pg from 'pg';

const RETRY = new Set(['40001', '40P01', '23503', '23505']);

/**
 * An application at work for one tenant, wherever it lives: some 150 transactions a second on each connection, each with a
 * token that is remembered when it was acknowledged.
 * @param route where it lives now, with the `url` of its database
 */
export function startLoad(route, { connections, customers }) {
  const acked = new Set();
  const waiters = [];
  let latencies = [];
  let stopping = false;
  const worker = async () => {
    let client;
    let to;
    while (!stopping) {
      try {
        if (client === undefined) {
          to = await route();
          client = new pg.Client({ connectionString: to.url });
          client.on('error', () => undefined);
          await client.connect();
        }
        const began = performance.now();
        const token = randomUUID();
        await transaction(client, to, token, customers);
        latencies.push(performance.now() - began);
        acked.add(token);
        for (const waiter of waiters.filter(({ at }) => at <= acked.size)) waiter.wake();
        await client.query('select pg_sleep(0.005)');
      } catch (error) {
        await client?.query('rollback').catch(() => undefined);
        if (RETRY.has(error.code)) continue;
        await client?.end().catch(() => undefined);
        client = undefined;
      }
    }
    await client?.end().catch(() => undefined);
  };
  const workers = Array.from({ length: connections }, worker);
  return {
    commits: (count) => new Promise((wake) => waiters.push({ at: acked.size + count, wake })),
    takeLatencies() {
      const taken = latencies;
      latencies = [];
      return taken;
    },
    async stop() {
      stopping = true;
      await Promise.all(workers);
      return [...acked];
    },
  };
}

async function transaction(client, to, token, customers) {
  await client.query('begin');
  const settings = { ...to.settings, role: to.role };
  await client.query(
    `select set_config(name, value, true) from unnest($1::text[], $2::text[]) with ordinality s (name, value, n) order by n`,
    [Object.keys(settings), Object.values(settings)],
  );
  const customer = randomInt(1, customers);
  const id = 10_000_000 + randomInt(1_000_000_000);
  await client.query('update customer set amount = amount + 1 where id = $1', [customer]);
  await client.query(`insert into invoice (id, customer_id, number, total) values ($1, $2, $3, 1)`, [
    id,
    customer,
    `N-${id}`,
  ]);
  await client.query(`insert into line (id, invoice_id, what, quantity, price) values ($1, $1, 'x', 1, 1)`, [
    id,
  ]);
  if (id % 5 === 0) await client.query('delete from line where id = $1', [randomInt(1, customers)]);
  await client.query('insert into journal (token) values ($1)', [token]);
  await client.query('commit');
}
