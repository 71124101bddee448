import type pg from 'pg';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Home } from '../../../src/engine/local/placements.js';
import { driverOf } from '../../../src/engine/tiers/registry.js';
import { newFleet } from '../../support/fleet.js';
import { query, useServer } from '../../support/server.js';
import {
  type Application,
  TENANT_TABLES,
  countRows,
  failure,
  homeFor,
  inTransaction,
  invoicing,
  newApplication,
  refusal,
  seeded,
} from './support.js';

const server = useServer();
let application: Application;
let appRole: string;
let acme: Home;
let bolt: Home;
let closed: Home;
let rowless: Home;

beforeAll(async () => {
  const { fleet, settings } = await newFleet(server.current, { tenancy: { shared: ['currency'] } });
  const migrations = await invoicing();
  const make = (id: string) => seeded(fleet, homeFor(settings, 'pool', id), migrations, 60);
  acme = await make('acme');
  bolt = await make('bolt');
  closed = await make('closed');
  await driverOf('pool').fence(fleet, closed, 'suspended');
  rowless = homeFor(settings, 'pool', 'rowless');
  await driverOf('pool').create(fleet, rowless, migrations);
  appRole = settings.tenancy.appRole;
  application = await newApplication(settings);
});

const superuser = (): string => server.current.superuserUrl(acme.placement.database);
/** One connection of the application, with nothing set but the search path. */
const web = <T>(work: (client: pg.Client) => Promise<T>) => application.bare(acme, work);
const claim = (client: pg.Client, key: string) =>
  client.query(`select set_config('app.tenant_id', $1, false)`, [key]);
const insertCounter = (client: pg.Client, kind: string, of?: Home) =>
  of === undefined
    ? client.query('insert into document_counter (kind) values ($1)', [kind])
    : client.query('insert into document_counter (tenant_id, kind) values ($1, $2)', [of.tenant.key, kind]);

/** How many rows of each table a session sees, where that is not none. */
async function visible(client: pg.Client): Promise<Record<string, number>> {
  const counts = TENANT_TABLES.map(
    (table) => `select '${table}' as name, count(*)::int as rows from ${table}`,
  );
  const { rows } = await client.query<{ name: string; rows: number }>(counts.join(' union all '));
  return Object.fromEntries(rows.filter((row) => row.rows > 0).map((row) => [row.name, row.rows]));
}

describe('a session of the application in a pool', () => {
  test('sees nothing and writes nothing before it says for whom it acts', async () => {
    await web(async (client) => {
      expect(await visible(client)).toEqual({});
      expect(await refusal(insertCounter(client, 'nobody'))).toBe('42501');
      expect(await refusal(insertCounter(client, 'nobody', acme))).toBe('42501');
      expect((await client.query('update customer set name = name')).rowCount).toBe(0);
      expect((await client.query('delete from customer')).rowCount).toBe(0);
    });
  });

  test('sees nothing and writes nothing with an empty context', async () => {
    await web(async (client) => {
      await claim(client, '');
      expect(await visible(client)).toEqual({});
      expect(await refusal(insertCounter(client, 'empty'))).toBe('42501');
    });
  });

  test('sees nothing once the transaction that had a context is over', async () => {
    await web(async (client) => {
      const within = await inTransaction(client, async () => {
        await client.query(`select set_config('app.tenant_id', $1, true)`, [acme.tenant.key]);
        return visible(client);
      });
      expect(within).toEqual(await countRows(superuser(), acme));
      expect(await visible(client)).toEqual({});
      expect(await refusal(insertCounter(client, 'later'))).toBe('42501');
    });
  });

  test('may set a context for the session, which one of a transaction overrides until its end', async () => {
    await web(async (client) => {
      await client.query(`set app.tenant_id = '${acme.tenant.key}'`);
      expect(await visible(client)).toEqual(await countRows(superuser(), acme));
      const { rows } = await inTransaction(client, async () => {
        await client.query(`set local app.tenant_id = '${bolt.tenant.key}'`);
        return client.query('select tenant_id from tenant_settings');
      });
      expect(rows).toEqual([{ tenant_id: bolt.tenant.key }]);
      expect(await visible(client)).toEqual(await countRows(superuser(), acme));
    });
  });

  test('sees nothing and writes nothing for a tenant that does not live here', async () => {
    await web(async (client) => {
      await claim(client, '00000000-0000-4000-8000-000000000000');
      expect(await visible(client)).toEqual({});
      expect(await refusal(insertCounter(client, 'unknown'))).toBe('42501');
    });
  });

  test('may write the key in capitals, in the tables and in the local state', async () => {
    await web(async (client) => {
      await claim(client, acme.tenant.key.toUpperCase());
      expect(await visible(client)).toEqual(await countRows(superuser(), acme));
      const { rows } = await client.query('select tenant from tenantctl.placement');
      expect(rows).toEqual([{ tenant: acme.tenant.id }]);
    });
  });

  test('gets an error, and no rows, with a context that is no key at all', async () => {
    await web(async (client) => {
      await claim(client, `' or true --`);
      expect(await refusal(client.query('select from customer'))).toBe('22P02');
    });
  });

  test('cannot write rows of another tenant, nor give its own away', async () => {
    await web(async (client) => {
      await claim(client, acme.tenant.key);
      expect(await refusal(insertCounter(client, 'stolen', bolt))).toBe('42501');
      const handOver = client.query('update tax_rate set tenant_id = $1', [bolt.tenant.key]);
      expect(await refusal(handOver)).toBe('42501');
      const upsert = client.query(
        `insert into document_counter (tenant_id, kind) values ($1, 'invoice') on conflict (tenant_id, kind) do update set next_value = 1`,
        [bolt.tenant.key],
      );
      expect(await refusal(upsert)).toBe('42501');
    });
  });

  test('is refused everything with TC002 and the reason as JSON once its tenant is suspended', async () => {
    await web(async (client) => {
      await claim(client, closed.tenant.key);
      const statements = [
        'select from customer',
        `insert into document_counter (kind) values ('late')`,
        'update customer set name = name',
        'delete from reminder',
        'select from invoice_balance',
        `select next_document_number('invoice')`,
      ];
      for (const statement of statements) {
        const error = await failure(client.query(statement));
        expect({ statement, code: error.code }).toEqual({ statement, code: 'TC002' });
        expect(JSON.parse(error.detail ?? '')).toEqual({ tenant: 'closed', state: 'suspended', epoch: 1 });
      }
    });
  });

  test.each([
    'select from customer',
    'select name from customer where id = 4',
    'select count(*) from invoice join customer on customer.id = invoice.customer_id',
    'update customer set name = name',
    'delete from reminder',
  ])('is refused although its closed tenant has no row at all: %s', async (statement) => {
    await web(async (client) => {
      await claim(client, rowless.tenant.key);
      expect((await failure(client.query(statement))).code).toBe('TC002');
    });
  });
});

describe('what the application may ask for in a pool', () => {
  test("read a view, and see its own tenant's rows in it", async () => {
    const expected = await query<{ invoice_id: string }>(
      superuser(),
      'select invoice_id from app.invoice_balance where tenant_id = $1',
      [acme.tenant.key],
    );
    expect(expected.length).toBeGreaterThan(0);
    await web(async (client) => {
      expect((await client.query('select from invoice_balance')).rowCount).toBe(0);
      await claim(client, acme.tenant.key);
      const { rows } = await client.query<{ tenant_id: string }>('select tenant_id from invoice_balance');
      expect(rows).toEqual(expected.map(() => ({ tenant_id: acme.tenant.key })));
    });
  });

  test('read its own placement and the ledger of its pool, and write neither', async () => {
    await web(async (client) => {
      expect((await client.query('select from tenantctl.placement')).rowCount).toBe(0);
      expect((await client.query('select from tenantctl.ledger')).rowCount).toBe(0);
      await claim(client, acme.tenant.key);
      expect((await client.query('select tenant, owner from tenantctl.placement')).rows).toEqual([
        { tenant: 'acme', owner: acme.tenant.owner },
      ]);
      const ledger = await client.query<{ unit: string }>('select distinct unit from tenantctl.ledger');
      expect(ledger.rows).toEqual([{ unit: `pool:${acme.placement.pool}` }]);
      for (const statement of [
        `update tenantctl.placement set state = 'active'`,
        'delete from tenantctl.placement',
        `insert into tenantctl.placement select * from tenantctl.placement`,
        'truncate tenantctl.placement',
        'update tenantctl.ledger set id = id',
        'delete from tenantctl.ledger',
        `select tenantctl.claim('pool:${acme.placement.pool}', 14, '{15}', '{x}', '{x}', 'applied', 'x', null)`,
      ])
        expect({ statement, code: await refusal(client.query(statement)) }).toEqual({
          statement,
          code: '42501',
        });
    });
  });

  test("gain nothing by claiming the fleet's scope", async () => {
    await web(async (client) => {
      await client.query(`set tenantctl.scope = 'fleet'`);
      expect(await visible(client)).toEqual({});
      expect(await refusal(insertCounter(client, 'fleet', bolt))).toBe('42501');
      await claim(client, acme.tenant.key);
      expect(await visible(client)).toEqual(await countRows(superuser(), acme));
      await client.query(`set role ${appRole}`);
      expect(await visible(client)).toEqual(await countRows(superuser(), acme));
    });
  });
});

test('the administrator is asked for its scope once a statement, and not by every row', async () => {
  const admin = server.current.adminUrl(acme.placement.database);
  const plan = await query<Record<string, string>>(
    admin,
    `explain (verbose, costs off) select * from "${acme.placement.schema}".customer`,
  );
  const lines = plan.map((line) => line['QUERY PLAN']?.trim() ?? '');
  // An InitPlan puts it out; a filter would ask every row.
  expect(lines.filter((line) => line.includes('tenantctl.scope'))).toEqual([
    expect.stringMatching(/^Output: .*SESSION_USER/),
  ]);
});
