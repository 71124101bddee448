import { randomInt, randomUUID } from 'node:crypto';
import pg from 'pg';
import type { Route } from '../../../src/engine/routing/route.js';
import { query } from '../../support/server.js';

/** What an application does about these: it asks for the route again. */
const MOVED_ON = new Set([
  'TC001',
  'TC002',
  'TC003',
  '42501',
  '42P01',
  '3F000',
  '28000',
  '3D000',
  '57P01',
  '53300',
  // A server that ends or begins.
  '57P02',
  '57P03',
]);
/** A customer may be deleted between the look at it and the order for it. */
const TRY_AGAIN = new Set(['40001', '40P01', '23503']);

export interface WriterReport {
  acked: Set<string>;
  /** Tokens whose COMMIT got no answer, as when the server died: they are there or not. */
  unsure: Set<string>;
  /** Errors that an application does not expect. */
  surprises: Set<string>;
  /** Longest time between two commits, in milliseconds. */
  longestGapMs: number;
  refusals: Record<string, number>;
}

export interface Writer {
  /** Resolves when so many more transactions are committed. */
  commits(count: number): Promise<void>;
  stop(): Promise<WriterReport>;
}

/**
 * An application that writes for one tenant all the time, wherever it lives: it keeps its route until it is refused.
 * Each transaction leaves a token in the journal; tokens of acknowledged transactions are kept.
 */
export function startWriter(
  route: () => Promise<Route>,
  urlOf: (route: Route) => string,
  options: { connections?: number; customers: number },
): Writer {
  const report: WriterReport = {
    acked: new Set(),
    unsure: new Set(),
    surprises: new Set(),
    longestGapMs: 0,
    refusals: {},
  };
  const waiters: { at: number; wake: () => void }[] = [];
  let stopping = false;
  let last = performance.now();
  const committed = (token: string): void => {
    const now = performance.now();
    report.longestGapMs = Math.max(report.longestGapMs, now - last);
    last = now;
    report.acked.add(token);
    for (const waiter of waiters.filter(({ at }) => at <= report.acked.size)) {
      waiters.splice(waiters.indexOf(waiter), 1);
      waiter.wake();
    }
  };
  const worker = async (): Promise<void> => {
    let client: pg.Client | undefined;
    let current: Route | undefined;
    while (!stopping) {
      try {
        if (current === undefined || client === undefined) {
          current = await route();
          client = await open(urlOf(current));
        }
        const token = randomUUID();
        if (await transaction(client, current, token, options.customers, report.unsure)) committed(token);
      } catch (error) {
        const state = (error as { code?: string }).code ?? '';
        report.refusals[state] = (report.refusals[state] ?? 0) + 1;
        const lost = !(error instanceof pg.DatabaseError);
        if (MOVED_ON.has(state) || lost) {
          await client?.end().catch(() => undefined);
          client = undefined;
        } else if (!TRY_AGAIN.has(state)) report.surprises.add(`${state} ${(error as Error).message}`);
      }
    }
    await client?.end().catch(() => undefined);
  };
  const workers = Array.from({ length: options.connections ?? 3 }, worker);
  return {
    commits: (count) => new Promise((wake) => waiters.push({ at: report.acked.size + count, wake })),
    async stop() {
      stopping = true;
      await Promise.all(workers);
      return report;
    },
  };
}

async function open(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

const LEVELS = ['read committed', 'read committed', 'read committed', 'repeatable read', 'serializable'];

/** @returns whether it was committed */
async function transaction(
  client: pg.Client,
  to: Route,
  token: string,
  customers: number,
  unsure: Set<string>,
): Promise<boolean> {
  await client.query(`begin isolation level ${LEVELS[randomInt(LEVELS.length)]}`);
  try {
    await client.query(
      `select set_config(name, value, true) from unnest($1::text[], $2::text[]) with ordinality as s (name, value, n) order by n`,
      [
        [...Object.keys(to.settings), 'role'],
        [...Object.values(to.settings), to.role],
      ],
    );
    for (let left = randomInt(1, 4); left > 0; left -= 1) await operation(client, customers);
    // What an application thinks in between: three sessions without it leave no processor to anybody.
    await client.query('select pg_sleep(0.004)');
    await client.query('insert into journal (token) values ($1)', [token]);
    const back = randomInt(20) === 0;
    if (!back) unsure.add(token);
    await client.query(back ? 'rollback' : 'commit').catch((error: unknown) => {
      if (error instanceof pg.DatabaseError && !error.code?.startsWith('57P')) unsure.delete(token);
      throw error;
    });
    unsure.delete(token);
    return !back;
  } catch (error) {
    await client.query('rollback').catch(() => undefined);
    throw error;
  }
}

const OPERATIONS: readonly ((client: pg.Client, n: number) => Promise<unknown>)[] = [
  (client, n) =>
    client.query(`insert into customer (id, email, amount) values ($1, $2, 1) on conflict do nothing`, [
      1_000_000 + randomInt(1_000_000_000),
      `new${n}-${randomUUID()}@example.com`,
    ]),
  (client, n) => client.query('update customer set amount = amount + 1 where id = $1', [n]),
  (client, n) =>
    client.query(`insert into orders (customer_id, note) select id, 'x' from customer where id = $1`, [n]),
  (client) => client.query('delete from orders where id = (select min(id) from orders)'),
  (client, n) => client.query('delete from customer where id = $1', [n]),
  // A key that changes, with its cascade.
  (client, n) =>
    client.query('update customer set id = $2 where id = $1', [n, 2_000_000_000 + randomInt(2_000_000_000)]),
  // Two unique values change places.
  (client, n) =>
    client.query(
      `with pair as (select id, email from customer where id in ($1::bigint, $1::bigint + 1))
       update customer c set email = 'tmp-' || c.id || '-' || random() from pair where c.id = pair.id`,
      [n],
    ),
  (client, n) => client.query('update note set read_count = read_count + 1 where id = $1', [1 + (n % 10)]),
  (client, n) =>
    client.query(
      `insert into note (id, body) select $1, string_agg(md5(i::text), '') from generate_series(1, 400) i on conflict do nothing`,
      [1_000 + randomInt(1_000_000_000) + n],
    ),
  (client, n) =>
    client.query(
      `insert into event (id, at, what) values ($1::bigint, $2::timestamptz + ($1::bigint % 1000000) * interval '1 second', 'w') on conflict do nothing`,
      [randomInt(1_000_000_000), n % 2 === 0 ? '2025-03-01' : '2026-03-01'],
    ),
  // From one partition to the other.
  (client) =>
    client.query(
      `update event set at = at + interval '1 year' where (at, id) = (select at, id from event where at < '2026-01-01' limit 1)`,
    ),
  async (client, n) => {
    await client.query('savepoint s');
    await client.query('update customer set score = score + 1 where id = $1', [n]);
    await client.query('rollback to savepoint s');
  },
];

async function operation(client: pg.Client, customers: number): Promise<void> {
  const one = OPERATIONS[randomInt(OPERATIONS.length)];
  await one?.(client, 1 + randomInt(customers));
}

/** Tokens that were acknowledged and are not there, and those that are there and were not acknowledged. */
export async function compareTokens(
  url: string,
  schema: string,
  key: string,
  acked: ReadonlySet<string>,
  unsure: ReadonlySet<string> = new Set(),
): Promise<{ lost: string[]; extra: string[] }> {
  const rows = await query<{ token: string }>(
    url,
    `select token from "${schema}".journal where tenant_id = $1`,
    [key],
  );
  const there = new Set(rows.map(({ token }) => token));
  return {
    lost: [...acked].filter((token) => !there.has(token)),
    extra: [...there].filter((token) => !acked.has(token) && !unsure.has(token)),
  };
}
