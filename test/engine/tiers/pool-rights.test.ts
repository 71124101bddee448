import type pg from 'pg';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Home } from '../../../src/engine/local/placements.js';
import { newFleet } from '../../support/fleet.js';
import { query, useServer } from '../../support/server.js';
import {
  type Application,
  TENANT_TABLES,
  homeFor,
  invoicing,
  newApplication,
  refusal,
  seeded,
} from './support.js';

const server = useServer();
let application: Application;
let appRole: string;
let acme: Home;

beforeAll(async () => {
  const { fleet, settings } = await newFleet(server.current, { tenancy: { shared: ['currency'] } });
  const migrations = await invoicing();
  acme = await seeded(fleet, homeFor(settings, 'pool', 'acme'), migrations, 60);
  appRole = settings.tenancy.appRole;
  application = await newApplication(settings);
});

const superuser = (): string => server.current.superuserUrl(acme.placement.database);
/** One connection of the application, with nothing set but the search path. */
const web = <T>(work: (client: pg.Client) => Promise<T>) => application.bare(acme, work);
const claim = (client: pg.Client, key: string) =>
  client.query(`select set_config('app.tenant_id', $1, false)`, [key]);
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
    ];
    await web(async (client) => {
      await claim(client, acme.tenant.key);
      for (const statement of statements) {
        const outcome = await client.query(statement).then(
          () => 'done',
          (error: pg.DatabaseError) => error.code,
        );
        expect({ statement, outcome }).toEqual({ statement, outcome: '42501' });
      }
    });
  });

  test('pass on none of its rights, nor use the functions of the local state for it', async () => {
    const rights = () =>
      query(
        superuser(),
        `select c.oid::int, c.relacl::text, (select jsonb_agg(to_jsonb(p) order by p.oid) from pg_policy p where p.polrelid = c.oid) as policies
           from pg_class c where relnamespace in ('app'::regnamespace, 'tenantctl'::regnamespace) order by c.oid`,
      );
    const before = await rights();
    await web(async (client) => {
      // The server only warns; what counts is that nothing has changed.
      await client.query('grant select on customer to public');
      const open = `select tenantctl.secure_pool('app', 'tenant_id', 'app.other', '${application.role}', 'enforce', '{country}')`;
      await client.query(open).catch((error: pg.DatabaseError) => expect(error.code).toBe('42501'));
    });
    expect(await rights()).toEqual(before);
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
});
