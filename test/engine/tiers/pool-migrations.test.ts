import type pg from 'pg';
import { describe, expect, test } from 'vitest';
import type { RlsMode } from '../../../src/core/settings.js';
import type { Migration } from '../../../src/engine/ledger/migration.js';
import type { Home } from '../../../src/engine/local/placements.js';
import { type FleetOverrides, newFleet } from '../../support/fleet.js';
import { query, useServer, withClient } from '../../support/server.js';
import { homeFor, migrateUnit, migrationsOf, newApplication, opened, refusal } from './support.js';

const server = useServer();

const NOTE = `create table note (tenant_id uuid not null, id int not null, body text, primary key (tenant_id, id))`;

/** A pool with two tenants, `acme` and `bolt`, each with one note when the first migration makes them. */
async function pool(first: string, overrides: FleetOverrides['tenancy'] = {}) {
  const { fleet, settings } = await newFleet(server.current, { tenancy: overrides });
  const migrations = await migrationsOf(first);
  const acme = await opened(fleet, homeFor(settings, 'pool', 'acme'), migrations);
  const bolt = await opened(fleet, homeFor(settings, 'pool', 'bolt'), migrations);
  const application = await newApplication(settings);
  const url = server.current.superuserUrl(acme.placement.database);
  const later = async (...texts: string[]): Promise<Migration[]> => migrationsOf(first, ...texts);
  return {
    acme,
    bolt,
    settings,
    application,
    /** What a superuser, whom no policy binds, finds. */
    truth: <Row extends pg.QueryResultRow>(text: string) =>
      withClient(url, async (client) => {
        await client.query('set search_path = app');
        return (await client.query<Row>(text)).rows;
      }),
    migrate: async (...texts: string[]) => migrateUnit(fleet, acme, await later(...texts)),
  };
}

async function fill({ acme, bolt, application }: Awaited<ReturnType<typeof pool>>): Promise<void> {
  for (const home of [acme, bolt])
    await application.asTenant(home, (client) =>
      client.query(`insert into note (id, body) values (1, '${home.tenant.id}')`),
    );
}

const notesSeen = (given: Awaited<ReturnType<typeof pool>>, home: Home, from = 'note'): Promise<string[]> =>
  given.application.asTenant(home, async (client) => {
    const { rows } = await client.query<{ body: string }>(`select body from ${from} order by body`);
    return rows.map(({ body }) => body);
  });

describe('a migration of a pool, run by an administrator who is no superuser', () => {
  test('touches the rows of every tenant', async () => {
    const given = await pool(NOTE);
    await fill(given);
    const [admin] = await query(
      server.current.adminUrl('postgres'),
      'select rolsuper or rolbypassrls as special from pg_roles where rolname = session_user',
    );
    expect(admin).toEqual({ special: false });
    await given.migrate(
      `update note set body = body || '!'`,
      `-- tenantctl: batched\nupdate note set body = body || '?' where body not like '%?'`,
    );
    expect(await notesSeen(given, given.acme)).toEqual(['acme!?']);
    expect(await notesSeen(given, given.bolt)).toEqual(['bolt!?']);
  });

  test('finds an orphan of any tenant when it adds a foreign key', async () => {
    const given = await pool(
      `${NOTE}; create table line (tenant_id uuid not null, id int not null, note int not null)`,
    );
    await fill(given);
    await given.application.asTenant(given.bolt, (client) =>
      client.query('insert into line (id, note) values (1, 99)'),
    );
    const key = 'foreign key (tenant_id, note) references note (tenant_id, id)';
    const adding = given.migrate(`alter table line add constraint fk ${key}`);
    await expect(adding).rejects.toMatchObject({ facts: { sqlstate: '23503' } });
    const inSteps = given.migrate(
      `alter table line add constraint fk ${key} not valid`,
      'alter table line validate constraint fk',
    );
    await expect(inSteps).rejects.toMatchObject({ facts: { sqlstate: '23503', migration: '0003_step' } });
  });

  test('leaves the administrator blind again when it is over', async () => {
    const given = await pool(NOTE);
    await fill(given);
    const url = server.current.adminUrl(given.acme.placement.database);
    expect(await query(url, 'select from app.note')).toEqual([]);
  });

  test('secures a table that it makes in its own transaction', async () => {
    const given = await pool(NOTE);
    await given.migrate('create table memo (tenant_id uuid, body text)');
    const [made] = await given.truth<Record<string, unknown>>(`
      select relrowsecurity, relforcerowsecurity,
        (select attnotnull and atthasdef from pg_attribute where attrelid = c.oid and attname = 'tenant_id') as complete,
        (select array_agg(polname::text order by polname) from pg_policy where polrelid = c.oid) as policies,
        has_table_privilege('${given.settings.tenancy.appRole}', c.oid, 'select, insert, update, delete') as granted,
        (select count(distinct x) from (select p.xmin::text as x from pg_policy p where polrelid = c.oid union all select c.xmin::text
          union all select l.xmin::text from tenantctl.ledger l where id = 2 and unit = 'pool:${given.acme.placement.pool}') t)::int as transactions
      from pg_class c where oid = 'memo'::regclass`);
    expect(made).toEqual({
      relrowsecurity: true,
      relforcerowsecurity: true,
      complete: true,
      policies: ['tenantctl_fleet', 'tenantctl_tenant'],
      granted: true,
      transactions: 1,
    });
  });

  test('leaves nothing of a table when a statement after it fails', async () => {
    const given = await pool(NOTE);
    const failing = given.migrate('create table memo (tenant_id uuid); insert into memo select 1/0');
    await expect(failing).rejects.toMatchObject({ code: 'MIGRATION_FAILED' });
    expect(
      await given.truth(
        `select to_regclass('memo') as memo, (select max(id) from tenantctl.ledger where unit like 'pool:%') as newest`,
      ),
    ).toEqual([{ memo: null, newest: 1 }]);
  });

  test.each(['disable row level security', 'no force row level security'])(
    'cannot leave a table with "%s"',
    async (loosened) => {
      const given = await pool(NOTE);
      await fill(given);
      await given.migrate(`alter table note ${loosened}`);
      expect(
        await given.truth(
          `select relrowsecurity and relforcerowsecurity as held from pg_class where oid = 'note'::regclass`,
        ),
      ).toEqual([{ held: true }]);
      expect(await notesSeen(given, given.acme)).toEqual(['acme']);
    },
  );

  test('cannot leave a table without our policy', async () => {
    const given = await pool(NOTE);
    await fill(given);
    await given.migrate('drop policy tenantctl_tenant on note; drop policy tenantctl_fleet on note');
    expect(await notesSeen(given, given.acme)).toEqual(['acme']);
    await given.migrate(
      'drop policy tenantctl_tenant on note; drop policy tenantctl_fleet on note',
      'update note set body = upper(body)',
    );
    expect(await notesSeen(given, given.bolt)).toEqual(['BOLT']);
  });

  test('secures a table made outside a transaction as well', async () => {
    const given = await pool(NOTE);
    await given.migrate(
      '-- tenantctl: no-transaction\ncreate table memo (tenant_id uuid not null, body text); create index concurrently memo_idx on memo (tenant_id)',
    );
    await given.application.asTenant(given.acme, (client) =>
      client.query(`insert into memo (body) values ('mine')`),
    );
    expect(await notesSeen(given, given.acme, 'memo')).toEqual(['mine']);
    expect(await notesSeen(given, given.bolt, 'memo')).toEqual([]);
  });
});

describe("views and functions of a pool's owner", () => {
  const DOORS = `${NOTE};
    create view every_note as select * from note;
    create materialized view stored_note as select * from note;
    create function count_notes() returns bigint language sql security definer begin atomic select count(*) from note; end;
    create function grab_notes() returns setof note language plpgsql security definer as $$
    begin perform set_config('tenantctl.scope', 'fleet', true); return query select * from app.note; end $$`;

  test("do not leak, not even to an application that claims the fleet's scope", async () => {
    const given = await pool(DOORS);
    await fill(given);
    for (const scope of ['', 'fleet']) {
      await given.application.bare(given.acme, async (client) => {
        await client.query(`select set_config('tenantctl.scope', $1, false)`, [scope]);
        const look = async () => ({
          view: (await client.query('select body from every_note')).rows,
          counted: (await client.query('select count_notes() as n')).rows,
          grabbed: (await client.query('select body from grab_notes()')).rows,
        });
        expect(await look()).toEqual({ view: [], counted: [{ n: '0' }], grabbed: [] });
        await client.query(`select set_config('app.tenant_id', $1, false)`, [given.acme.tenant.key]);
        const own = [{ body: 'acme' }];
        expect(await look()).toEqual({ view: own, counted: [{ n: '1' }], grabbed: own });
      });
    }
  });

  test('that store rows of all tenants, or could be written through, are not for the application', async () => {
    const given = await pool(
      `${DOORS}; create table rate (id int primary key); create view every_rate as select * from rate`,
    );
    const asking = (text: string) =>
      refusal(given.application.asTenant(given.acme, (client) => client.query(text)));
    expect(await asking('select from stored_note')).toBe('42501');
    expect(await asking('insert into every_rate values (1)')).toBe('42501');
    expect(await asking('update every_note set body = body')).toBe('42501');
  });
});

describe('policies that the user wrote', () => {
  const WIDE = `create policy wide on note for all to public using (true) with check (true)`;
  const VIEW = `create view every_note as select * from note`;

  test.each([
    ['with the table', [`${NOTE}; alter table note enable row level security; ${WIDE}; ${VIEW}`]],
    ['on a table that was secured before', [NOTE, `${WIDE}; ${VIEW}`]],
    ['under a name like ours', [NOTE, `${WIDE.replace('wide', 'tenantctl_wide')}; ${VIEW}`]],
  ])('%s stay as they are and widen nothing', async (_when, [first = '', ...rest]) => {
    const given = await pool(first);
    if (rest.length > 0) await given.migrate(...rest);
    await fill(given);
    const policies = await given.truth<Record<string, unknown>>(
      `select permissive, roles::text, cmd, qual, with_check from pg_policies where tablename = 'note' and policyname like '%wide'`,
    );
    expect(policies).toEqual([
      { permissive: 'PERMISSIVE', roles: '{public}', cmd: 'ALL', qual: 'true', with_check: 'true' },
    ]);
    expect(await notesSeen(given, given.acme)).toEqual(['acme']);
    expect(await notesSeen(given, given.acme, 'every_note')).toEqual(['acme']);
    const stealing = given.application.asTenant(given.acme, (client) =>
      client.query(`insert into note (tenant_id, id) values ('${given.bolt.tenant.key}', 2)`),
    );
    expect(await refusal(stealing)).toBe('42501');
    await given.application.bare(given.acme, async (client) => {
      expect((await client.query('select from note')).rowCount).toBe(0);
    });
    // And the administrator's migrations still reach every row.
    await given.migrate(...rest, `update note set body = 'seen'`);
    expect(await notesSeen(given, given.bolt)).toEqual(['seen']);
  });

  test('may narrow what the application sees', async () => {
    const given = await pool(
      `${NOTE}; alter table note enable row level security; create policy few on note using (id < 10)`,
    );
    await fill(given);
    const adding = given.application.asTenant(given.acme, (client) =>
      client.query('insert into note (id) values (10)'),
    );
    expect(await refusal(adding)).toBe('42501');
    expect(await notesSeen(given, given.acme)).toEqual(['acme']);
  });

  test('can be dropped again', async () => {
    const given = await pool(`${NOTE}; alter table note enable row level security; ${WIDE}`);
    await given.migrate('drop policy wide on note');
    await fill(given);
    expect(await notesSeen(given, given.acme)).toEqual(['acme']);
    expect(await notesSeen(given, given.bolt)).toEqual(['bolt']);
  });
});

describe('tenancy.rls', () => {
  const LOOSE = 'create table memo (tenant_id uuid, body text)';
  const OWN = `create table memo (tenant_id uuid not null, body text);
    alter table memo enable row level security; alter table memo force row level security;
    create policy mine on memo using (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)`;
  const shape = `select relrowsecurity, relforcerowsecurity, relacl::text, (select count(*)::int from pg_policy where polrelid = c.oid) as policies,
    (select attnotnull or atthasdef from pg_attribute where attrelid = c.oid and attname = 'tenant_id') as altered from pg_class c where oid = 'memo'::regclass`;
  const UNTOUCHED = {
    relrowsecurity: false,
    relforcerowsecurity: false,
    relacl: null,
    policies: 0,
    altered: false,
  };
  const SHARED = 'create table rate (id int primary key); insert into rate values (1)';

  test('require: a migration that leaves a table open fails with TC030 and names it', async () => {
    const given = await pool(SHARED, { rls: 'require' });
    const failing = given.migrate(LOOSE);
    await expect(failing).rejects.toMatchObject({ code: 'MIGRATION_FAILED', facts: { sqlstate: 'TC030' } });
    await expect(failing).rejects.toThrow(
      /app\.memo: row-level security is not enabled, .*not forced.*, it has no policy, column tenant_id may be NULL/,
    );
    expect(await given.truth(`select to_regclass('memo') as memo`)).toEqual([{ memo: null }]);
  });

  test('require: a migration that does it itself passes, and the application can work', async () => {
    const given = await pool(SHARED, { rls: 'require' });
    await given.migrate(OWN);
    await given.application.asTenant(given.acme, async (client) => {
      await client.query(`insert into memo (body) values ('mine')`);
      expect((await client.query('select from rate')).rowCount).toBe(1);
    });
    expect(await notesSeen(given, given.acme, 'memo')).toEqual(['mine']);
    expect(await notesSeen(given, given.bolt, 'memo')).toEqual([]);
  });

  test.each<[RlsMode, string[]]>([
    [
      'observe',
      [
        'app.memo: row-level security is not enabled, row-level security is not forced on the owner, it has no policy, column tenant_id may be NULL',
      ],
    ],
    ['off', []],
  ])('%s: a migration changes nothing by itself', async (rls, lacks) => {
    const given = await pool(`${SHARED}; ${LOOSE}`, { rls });
    await given.migrate('create view memos as select * from memo');
    expect(await given.truth(shape)).toEqual([UNTOUCHED]);
    const { appRole } = given.settings.tenancy;
    expect(
      await given.truth(
        `select has_table_privilege('${appRole}', 'rate', 'select') or has_table_privilege('${appRole}', 'memos', 'select') as granted`,
      ),
    ).toEqual([{ granted: false }]);
    const report = `select tenantctl.secure_pool('app', 'tenant_id', 'app.tenant_id', '${appRole}', '${rls}', '{}') as lack`;
    expect(
      await query<{ lack: string }>(server.current.adminUrl(given.acme.placement.database), report),
    ).toEqual(lacks.map((lack) => ({ lack })));
    expect(await given.truth(shape)).toEqual([UNTOUCHED]);
  });

  test('enforce: shared tables that the configuration does not name are read-only', async () => {
    const given = await pool(`${SHARED}; create table tariff (id int primary key)`, { shared: ['tariff'] });
    const writing = (table: string) =>
      given.application.asTenant(given.acme, (client) => client.query(`insert into ${table} values (7)`));
    expect((await writing('tariff')).rowCount).toBe(1);
    expect(await refusal(writing('rate'))).toBe('42501');
  });
});
