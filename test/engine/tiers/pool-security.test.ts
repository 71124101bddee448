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

beforeAll(async () => {
  const { fleet, settings } = await newFleet(server.current, { tenancy: { shared: ['currency'] } });
  const migrations = await invoicing();
  const make = (id: string) => seeded(fleet, homeFor(settings, 'pool', id), migrations, 60);
  acme = await make('acme');
  bolt = await make('bolt');
  closed = await make('closed');
  await driverOf('pool').fence(fleet, closed, 'closed');
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
});

describe('what the application role may do in a pool', () => {
  test('reach partitions through their parent only', async () => {
    const partitions = await query<{ name: string }>(
      superuser(),
      `select inhrelid::regclass::text as name from pg_inherits where inhparent = 'app.activity'::regclass`,
    );
    expect(partitions).toHaveLength(4);
    await web(async (client) => {
      await claim(client, acme.tenant.key);
      for (const { name } of partitions) {
        const row = `(occurred_at, action, entity, entity_id) values ('2026-05-01', 'a', 'b', 'c')`;
        for (const statement of [
          `select from ${name}`,
          `insert into ${name} ${row}`,
          `update ${name} set action = action`,
          `delete from ${name}`,
        ])
          expect(await refusal(client.query(statement))).toBe('42501');
      }
      const added = await client.query(
        `insert into activity (occurred_at, action, entity, entity_id) values ('2026-05-01', 'a', 'b', 'c') returning tenant_id`,
      );
      expect(added.rows).toEqual([{ tenant_id: acme.tenant.key }]);
    });
  });

  test('read shared tables, and write those that the configuration names', async () => {
    await web(async (client) => {
      expect((await client.query('select from country')).rowCount).toBeGreaterThan(0);
      expect(await refusal(client.query(`insert into country values ('XX', 'Nowhere', 'EUR')`))).toBe(
        '42501',
      );
      expect(await refusal(client.query('update country set name = name'))).toBe('42501');
      expect(await refusal(client.query('delete from country'))).toBe('42501');
      expect((await client.query(`insert into currency values ('XTS', 'Test', 2)`)).rowCount).toBe(1);
      expect((await client.query(`update currency set name = 'T' where code = 'XTS'`)).rowCount).toBe(1);
      expect((await client.query(`delete from currency where code = 'XTS'`)).rowCount).toBe(1);
    });
  });

  test('empty, change, refer to or make no table', async () => {
    const statements = [
      ...TENANT_TABLES.map((table) => `truncate ${table}`),
      'truncate country',
      'alter table customer add column x int',
      'alter table customer disable row level security',
      'alter table customer no force row level security',
      'drop policy tenantctl_tenant on customer',
      'create policy mine on customer using (true)',
      'create trigger t before insert on customer for each row execute function touch_updated_at()',
      'create index on customer (name)',
      'drop table reminder',
      'create table mine (id int)',
      'create table app.mine (tenant_id uuid, id bigint, foreign key (tenant_id, id) references customer)',
      'create schema mine',
      'create function app.f() returns int language sql return 1',
      `create view app.v as select * from customer`,
      `alter role ${appRole} bypassrls`,
      `grant select on customer to public`,
    ];
    await web(async (client) => {
      await claim(client, acme.tenant.key);
      for (const statement of statements) {
        // A GRANT without the right to give it may only warn: what counts is that nothing was given.
        const outcome = await client.query(statement).then(
          () => 'done',
          (error: pg.DatabaseError) => error.code,
        );
        expect({ statement, outcome }).toEqual({ statement, outcome: '42501' });
      }
    });
  });

  test('own nothing, see through nothing, and become nobody else', async () => {
    const [role] = await query(
      superuser(),
      `select rolsuper, rolbypassrls, rolcanlogin, rolcreatedb, rolcreaterole, rolreplication,
         (select count(*)::int from pg_class where relowner = r.oid) as tables,
         (select count(*)::int from pg_proc where proowner = r.oid) as functions,
         (select count(*)::int from pg_namespace where nspowner = r.oid) as schemas,
         (select count(*)::int from pg_shdepend where refobjid = r.oid and deptype = 'o') as owned,
         (select count(*)::int from pg_auth_members where member = r.oid) as memberships
       from pg_roles r where rolname = $1`,
      [appRole],
    );
    expect(Object.values(role ?? {}).filter((value) => value !== false && value !== 0)).toEqual([]);
  });

  test('draw numbers from sequences, and never set one', async () => {
    await web(async (client) => {
      await claim(client, acme.tenant.key);
      const { rows } = await client.query<{ n: string }>(`select nextval('payment_reference_seq') as n`);
      expect(Number(rows[0]?.n)).toBeGreaterThan(100_000);
      expect(await refusal(client.query(`select setval('payment_reference_seq', 1)`))).toBe('42501');
      const customer = await client.query(
        `insert into customer (code, name, country_code) values ('NEW', 'New', 'DE') returning id`,
      );
      expect(customer.rowCount).toBe(1);
    });
  });

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
        `select tenantctl.secure_pool('app', 'tenant_id', 'app.other', '${appRole}', 'enforce', '{}')`,
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
