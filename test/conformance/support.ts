import type { Tier } from '../../src/core/tier.js';
import type { Home } from '../../src/engine/local/placements.js';
import type { HomeState } from '../../src/engine/tiers/driver.js';
import { driverOf } from '../../src/engine/tiers/registry.js';
import type { LocalServer } from '../../src/embedded/server.js';
import { countRows } from '../engine/tiers/support.js';
import { query } from '../support/server.js';

/** What the server still knows of a tenant, by any name it had. */
export async function traces(server: LocalServer, home: Home): Promise<string[]> {
  const { placement, tenant } = home;
  const { facts, tier, unit } = driverOf(placement.tier);
  const own = facts.sharesUnit ? [] : [placement.role];
  const found = await names(
    server.superuserUrl('postgres'),
    `select 'role ' || rolname as name from pg_roles where rolname = any ($1)
     union all select 'database ' || datname from pg_database where datname = any ($1)`,
    [own],
  );
  if (tier === 'database') return found;
  const url = server.superuserUrl(placement.database);
  const local = await names(
    url,
    `select 'schema ' || nspname as name from pg_namespace where nspname = any ($1)
     union all select 'placement' from tenantctl.placement where tenant = $2
     union all select 'ledger ' || id from tenantctl.ledger where unit = $3`,
    [own, tenant.id, facts.sharesUnit ? 'none of its own' : unit(tenant.id, placement).ledgerKey],
  );
  const rows = facts.sharesUnit ? await countRows(url, home) : {};
  return [...found, ...local, ...Object.keys(rows).filter((table) => rows[table] !== 0)];
}

/** Databases that were being made when something went wrong. */
export function halfMadeDatabases(server: LocalServer): Promise<string[]> {
  return names(
    server.superuserUrl('postgres'),
    `select datname as name from pg_database
      where datname like 'tenantctl\\_making\\_%' or datname like 'tenantctl\\_new\\_%'`,
  );
}

async function names(url: string, text: string, values: unknown[] = []): Promise<string[]> {
  return (await query<{ name: string }>(url, text, values)).map(({ name }) => name);
}

/** Everything the catalog says of a schema and what is in it, of a role and of a database of that name. */
export async function catalogOf(server: LocalServer, home: Home): Promise<unknown> {
  const { schema, role, database } = home.placement;
  const [shared] = await query(
    server.superuserUrl('postgres'),
    `select (select jsonb_agg(to_jsonb(r) || jsonb_build_object('comment', shobj_description(r.oid, 'pg_authid'))) from pg_roles r where rolname = $1) as role,
       (select jsonb_agg(to_jsonb(m) order by m.roleid, m.member) from pg_auth_members m
         where (select oid from pg_roles where rolname = $1) in (roleid, member)) as members,
       (select jsonb_agg(to_jsonb(s)) from pg_db_role_setting s
         where setrole = (select oid from pg_roles where rolname = $1) or setdatabase = (select oid from pg_database where datname = $2)) as settings,
       (select jsonb_agg(to_jsonb(d) - '{datfrozenxid,datminmxid}'::text[]) from pg_database d where datname = $2) as database`,
    [role, database],
  );
  const [inside] = await query(
    server.superuserUrl(database),
    `select (select jsonb_agg(to_jsonb(n)) from pg_namespace n where nspname = $1) as namespace,
       (select jsonb_agg(jsonb_build_array(c.oid, c.relname, c.relowner, c.relacl, c.relfilenode, c.relrowsecurity) order by c.oid)
          from pg_class c where c.relnamespace = (select oid from pg_namespace where nspname = $1)) as classes`,
    [schema],
  );
  return { shared, inside };
}

/** What is found where a home of this tier was never made, or is gone without a trace. */
export function nothingLeft(tier: Tier): HomeState {
  return tier === 'pool' ? { state: 'absent' } : { state: 'absent', role: 'absent' };
}
