import pg from 'pg';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { sqlstateOf } from '../../../src/pg/errors.js';
import { query, withClient } from '../../support/server.js';
import { bring, insertTenant, useCatalog } from './rows.js';

const catalog = useCatalog();
const open: pg.Client[] = [];
let tenants = 0;

afterEach(async () => {
  for (const client of open.splice(0)) await client.end();
});

async function session(): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: catalog.url });
  await client.connect();
  open.push(client);
  return client;
}

/** A tenant whose deletion is scheduled. */
async function scheduled(): Promise<string> {
  tenants += 1;
  const id = `tenant-${tenants}`;
  await withClient(catalog.url, async (client) => {
    await insertTenant(client, id);
    await bring(client, id, 'offboarding');
    await client.query(
      `insert into tenantctl_catalog.offboardings (id, tenant, requested_by, status_before, due_at, state)
       values ($1, $1, 'suite', 'active', now(), 'scheduled')`,
      [id],
    );
  });
  return id;
}

/** The end of a statement: the entry in the audit log that the database asks for. */
const audited = (action: string, member: string, changed: string): string =>
  `insert into tenantctl_catalog.audit (action, tenant, actor, details, tool)
     select '${action}', tenant, 'suite', jsonb_build_object('${member}', id), 'suite' from ${changed}`;

const hold = (client: pg.Client, id: string) =>
  client.query(
    `with placed as (insert into tenantctl_catalog.holds (id, tenant, reason, author)
       values (gen_random_uuid(), $1, 'court', 'suite') returning id, tenant) ${audited('hold.place', 'hold', 'placed')}`,
    [id],
  );
const release = (client: pg.Client, id: string) =>
  client.query(
    `with released as (update tenantctl_catalog.holds set released_by = 'suite', released_at = now()
       where tenant = $1 and released_at is null returning id, tenant) ${audited('hold.release', 'hold', 'released')}`,
    [id],
  );
const advance = (client: pg.Client, id: string, state: 'purging' | 'purged') =>
  client.query(
    `with begun as (update tenantctl_catalog.offboardings set state = $2, begun_at = coalesce(begun_at, now())
       where tenant = $1 returning id, tenant) ${audited('tenant.purge', 'offboarding', 'begun')}`,
    [id, state],
  );

const outcomeOf = (work: Promise<unknown>): Promise<string | null> =>
  work.then(
    () => 'done',
    (error: unknown) => sqlstateOf(error),
  );

const stateOf = async (id: string): Promise<string | undefined> => {
  const rows = await query<{ state: string }>(
    catalog.url,
    'select state from tenantctl_catalog.offboardings where tenant = $1',
    [id],
  );
  return rows[0]?.state;
};

async function waits(client: pg.Client): Promise<void> {
  const { processID } = client as unknown as { processID: number };
  await vi.waitUntil(
    async () => {
      const rows = await query(catalog.url, 'select from pg_locks where pid = $1 and not granted', [
        processID,
      ]);
      return rows.length > 0;
    },
    { interval: 5, timeout: 20_000 },
  );
}

describe('a legal hold', () => {
  test('that stands refuses the purge, and released lets it go on', async () => {
    const id = await scheduled();
    const client = await session();
    await hold(client, id);
    expect(await outcomeOf(advance(client, id, 'purging'))).toBe('TC022');
    await release(client, id);
    expect(await outcomeOf(advance(client, id, 'purging'))).toBe('done');
    expect(await outcomeOf(advance(client, id, 'purged'))).toBe('done');
  });

  test('is released, not removed, and no purge is written past it', async () => {
    const id = await scheduled();
    const client = await session();
    await hold(client, id);
    for (const removal of ['delete from tenantctl_catalog.holds', 'truncate tenantctl_catalog.holds'])
      expect(await outcomeOf(client.query(removal))).toBe('TC020');
    await client.query(
      `update tenantctl_catalog.offboardings set state = 'cancelled', finished_at = now() where tenant = $1`,
      [id],
    );
    const past = client.query(
      `insert into tenantctl_catalog.offboardings (id, tenant, requested_by, status_before, due_at, state, begun_at)
       values (gen_random_uuid(), $1, 'suite', 'active', now(), 'purging', now())`,
      [id],
    );
    expect(await outcomeOf(past)).toBe('TC022');
  });

  test('of one tenant leaves the others', async () => {
    const [held, free] = [await scheduled(), await scheduled()];
    const client = await session();
    await hold(client, held);
    expect(await outcomeOf(advance(client, free, 'purging'))).toBe('done');
    expect(await stateOf(held)).toBe('scheduled');
  });

  test('that is being placed makes the purge wait, and then refuses it', async () => {
    const id = await scheduled();
    const [keeper, purger] = [await session(), await session()];
    await keeper.query('begin');
    await hold(keeper, id);
    const purge = outcomeOf(advance(purger, id, 'purging'));
    await waits(purger);
    await keeper.query('commit');
    expect(await purge).toBe('TC022');
    expect(await stateOf(id)).toBe('scheduled');
  });

  test('that is given up while it is being placed lets the purge begin', async () => {
    const id = await scheduled();
    const [keeper, purger] = [await session(), await session()];
    await keeper.query('begin');
    await hold(keeper, id);
    const purge = outcomeOf(advance(purger, id, 'purging'));
    await waits(purger);
    await keeper.query('rollback');
    expect(await purge).toBe('done');
  });

  test('is not looked past by a purge with an older snapshot', async () => {
    const id = await scheduled();
    const [keeper, purger] = [await session(), await session()];
    await purger.query('begin isolation level repeatable read');
    await purger.query('select from tenantctl_catalog.tenants');
    await hold(keeper, id);
    expect(await outcomeOf(advance(purger, id, 'purging'))).toBe('40001');
    await purger.query('rollback');
    expect(await outcomeOf(advance(purger, id, 'purging'))).toBe('TC022');
  });

  test('that comes while a purge begins waits for it, and stops it before its next step', async () => {
    const id = await scheduled();
    const [keeper, purger] = [await session(), await session()];
    await purger.query('begin');
    await advance(purger, id, 'purging');
    const placing = outcomeOf(hold(keeper, id));
    await waits(keeper);
    await purger.query('commit');
    expect(await placing).toBe('done');
    expect(await outcomeOf(advance(purger, id, 'purged'))).toBe('TC022');
    expect(await stateOf(id)).toBe('purging');
  });
});
