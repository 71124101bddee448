import { describe, expect, test } from 'vitest';
import type { RlsMode, TenancySettings } from '../../../src/core/settings.js';
import { query, useServer } from '../../support/server.js';
import { NOTE, fillPool, notesSeen, smallPool } from './pool-support.js';
import { refusal } from './support.js';

const server = useServer();
const pool = (first: string, tenancy: Partial<TenancySettings> = {}) =>
  smallPool(server.current, first, tenancy);

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
    await fillPool(given);
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
    await fillPool(given);
    const adding = given.application.asTenant(given.acme, (client) =>
      client.query('insert into note (id) values (10)'),
    );
    expect(await refusal(adding)).toBe('42501');
    expect(await notesSeen(given, given.acme)).toEqual(['acme']);
  });

  test('can be dropped again', async () => {
    const given = await pool(`${NOTE}; alter table note enable row level security; ${WIDE}`);
    await given.migrate('drop policy wide on note');
    await fillPool(given);
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
