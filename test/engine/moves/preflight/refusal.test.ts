import { beforeAll, expect, test } from 'vitest';
import type { Tenant } from '../../../../src/core/tenant.js';
import { promote } from '../../../../src/operations/moves/promote.js';
import { useServer, withClient } from '../../../support/server.js';
import { failureOf } from '../../ledger/directory.js';
import { type PreflightFleet, customer, preflightFleet } from './support.js';

const server = useServer();
let fleet: PreflightFleet;
let acme: Tenant;

beforeAll(async () => {
  fleet = await preflightFleet(server.current);
  acme = await fleet.tenant('acme', 'pool');
  await fleet.tenant('resident', 'pool', `${acme.pool}second`);
  await fleet.run(fleet.pool, customer(acme.key, 1));
});

/** Every row of every table, every object and every right of a database, as text. */
async function dump(database: string): Promise<string[]> {
  return withClient(server.current.superuserUrl(database), async (client) => {
    const lines = async (text: string): Promise<string[]> =>
      (await client.query<{ line: string }>(text)).rows.map(({ line }) => line);
    const tables =
      await lines(`select c.oid::regclass::text as line from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where c.relkind in ('r', 'p') and n.nspname !~ '^(pg_|information_schema)' order by 1`);
    const rows = [];
    for (const table of tables)
      rows.push(...(await lines(`select '${table} ' || x::text as line from ${table} x order by 1`)));
    const objects = await lines(`
      select concat_ws(' ', c.relkind, c.oid::regclass, c.relowner::regrole, c.relacl::text, c.relrowsecurity, c.relforcerowsecurity) as line
        from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname !~ '^pg_' 
      union all select concat_ws(' ', t.tgrelid::regclass, pg_get_triggerdef(t.oid), t.tgenabled) from pg_trigger t
      union all select concat_ws(' ', k.conrelid::regclass, k.conname, pg_get_constraintdef(k.oid), k.convalidated) from pg_constraint k
      union all select concat_ws(' ', p.oid::regprocedure, md5(p.prosrc), p.proacl::text) from pg_proc p
      union all select concat_ws(' ', n.nspname, n.nspacl::text) from pg_namespace n where n.nspname !~ '^pg_(toast_)?temp'
      union all select concat_ws(' ', p.polname, p.polrelid::regclass, pg_get_expr(p.polqual, p.polrelid)) from pg_policy p
      union all select concat_ws(' ', d.datname, d.datacl::text) from pg_database d
      union all select concat_ws(' ', r.rolname, r.rolcanlogin, r.rolconnlimit) from pg_roles r
      union all select concat_ws(' ', m.roleid::regrole, m.member::regrole) from pg_auth_members m
      order by 1`);
    return [...rows, ...objects];
  });
}

test.each([
  ['its own schema', { to: 'schema' }],
  ['its own database', { to: 'database' }],
  ['another pool', { to: 'pool' }],
] as const)('a move to %s that is refused has changed nothing anywhere', async (_place, { to }) => {
  const request = { id: 'acme', to, ...(to === 'pool' ? { pool: `${acme.pool}second` } : {}) };
  await fleet.own(fleet.pool, `grant truncate on note to ${fleet.settings.tenancy.appRole}`);
  const catalog = fleet.fleet.catalogDatabase;
  const dumps = async () => [await dump(catalog), await dump(fleet.pool), await dump(fleet.second)];
  const before = await dumps();
  const refusal = await failureOf(promote(fleet.fleet, request, { dryRun: false }));
  expect(refusal).toMatchObject({ code: 'PREFLIGHT_FAILED', exit: 6 });
  expect(refusal.message).toContain('revoke truncate on "app"."note"');
  expect(await dumps()).toEqual(before);
  expect(before[1]?.some((line) => line.includes('c1@example.com'))).toBe(true);
});

test('a dry run shows what it would be refused for, and changes nothing either', async () => {
  await fleet.own(fleet.pool, `grant truncate on note to ${fleet.settings.tenancy.appRole}`);
  const before = await dump(fleet.pool);
  const result = await promote(fleet.fleet, { id: 'acme', to: 'schema' }, { dryRun: true });
  expect(result).toMatchObject({ plan: { findings: [{ rule: 'truncate-right', level: 'error' }] } });
  expect(await dump(fleet.pool)).toEqual(before);
});
