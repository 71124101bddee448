import { describe, expect, test } from 'vitest';
import { query, useServer } from '../../support/server.js';
import { NOTE, fillPool, notesSeen, smallPool } from './pool-support.js';
import { refusal } from './support.js';

const server = useServer();
const pool = (first: string) => smallPool(server.current, first);

describe('a migration of a pool, run by an administrator who is no superuser', () => {
  test('touches the rows of every tenant', async () => {
    const given = await pool(NOTE);
    await fillPool(given);
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
    await fillPool(given);
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
    await fillPool(given);
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
      await fillPool(given);
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
    await fillPool(given);
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
    await fillPool(given);
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
