import type { Tier } from '../../src/core/tier.js';
import { query } from '../support/server.js';
import type { Project } from './project.js';

/** Grants of one access list as sentences, in order. */
const acl = (column: string) =>
  `(select array_agg(format('%s: %s', a.grantee::regrole, a.privilege_type) order by 1)
      from (select * from aclexplode(${column})) a)`;

const CATALOG = {
  tenants: `select id, key, status, plan, owner, labels, activated_at is not null as activated from tenantctl_catalog.tenants where id = $1`,
  placements: `select tenant, epoch, tier, cluster, database, schema, pool, role, unit, until from tenantctl_catalog.placements where tenant = $1`,
  unit: `select u.id, tier, database, schema, ledger_key, version_id, version_name from tenantctl_catalog.units u
          where id = (select unit from tenantctl_catalog.placements where tenant = $1)`,
  done: `select count(*)::int as n from tenantctl_catalog.audit where tenant = $1 and action = 'tenant.provision' and phase = 'done'`,
  hooks: `select ordinal, command, delivered_at is not null as delivered, failure from tenantctl_catalog.hook_deliveries where tenant = $1`,
};

/** What is in the home's database; `$1` is its schema. */
const HOME = {
  relations: `select c.relname, c.relkind, c.relrowsecurity, c.relforcerowsecurity, ${acl('c.relacl')} as grants,
      (select array_agg(format('%s %s %s', attname, atttypid::regtype, attnotnull) order by attnum) from pg_attribute
        where attrelid = c.oid and attnum > 0 and not attisdropped) as columns
    from pg_class c where relnamespace = $1::regnamespace order by 1`,
  schema: `select nspname, ${acl('nspacl')} as grants, obj_description(oid, 'pg_namespace') as comment from pg_namespace where nspname = $1`,
  invalid: `select indexrelid::regclass::text from pg_index where not indisvalid`,
  policies: `select tablename, policyname, roles::text, cmd, qual from pg_policies where schemaname = $1 order by 1, 2`,
};

const LOCAL = {
  placement: `select tenant, key, unit, tier, schema, role, plan, owner, labels, status, epoch, state from tenantctl.placement order by 1`,
  ledger: `select unit, id, name, state, count(*)::int as times from tenantctl.ledger group by 1, 2, 3, 4 order by 1, 2`,
};

const CLUSTER = {
  databases: `select datname, datallowconn, datconnlimit, ${acl('datacl')} as grants from pg_database
     where datname like '%' || $1 || '%' order by 1`,
  roles: `select rolname, rolcanlogin, rolinherit, rolbypassrls, rolconnlimit, shobj_description(r.oid, 'pg_authid') as comment,
      (select array_agg(roleid::regrole::text order by 1) from pg_auth_members where member = r.oid) as member_of,
      (select array_agg(member::regrole::text order by 1) from pg_auth_members where roleid = r.oid) as members
    from pg_roles r where rolname like '%' || $1 || '%' order by 1`,
  settings: `select coalesce(d.datname, '') as database, coalesce(s.setrole::regrole::text, '') as role, setconfig
    from pg_db_role_setting s left join pg_database d on d.oid = s.setdatabase
    where d.datname like '%' || $1 || '%' or s.setrole::regrole::text like '%' || $1 || '%' order by 1, 2`,
};

type Queries = Record<string, string>;

async function answers(
  url: string,
  queries: Queries,
  value: string | undefined,
): Promise<Record<string, unknown>> {
  const asked = Object.entries(queries).map(
    async ([name, text]) => [name, await query(url, text, text.includes('$1') ? [value] : [])] as const,
  );
  return Object.fromEntries(await Promise.all(asked));
}

/**
 * Everything that makes one tenant: rows of catalog and local state, relations, rows, grants, roles,
 * limits. Names are freed from the project's mark and the tenant's id, so that two projects compare.
 */
export async function stateOf(project: Project, tier: Tier, id = 'acme'): Promise<unknown> {
  const { server, mark, catalogUrl } = project;
  const database = tier === 'database' ? `d_${mark}_${id}` : `app_${mark}`;
  const schema = tier === 'schema' ? `s_${mark}_${id}` : 'app';
  const home = server.superuserUrl(database);
  const state = {
    catalog: await answers(catalogUrl, CATALOG, id),
    home: await answers(home, HOME, schema),
    local: await answers(home, LOCAL, undefined),
    cluster: await answers(server.superuserUrl('postgres'), CLUSTER, mark),
    rows: await rowsIn(home, schema),
  };
  return JSON.parse(JSON.stringify(state).replaceAll(mark, 'MARK').replaceAll(id, 'ID')) as unknown;
}

async function rowsIn(url: string, schema: string): Promise<Record<string, string>> {
  const tables = await query<{ name: string; rows: string }>(
    url,
    `select relname as name, (xpath('/row/c/text()', query_to_xml(format('select count(*) as c from %s', c.oid::regclass),
        false, true, '')))[1]::text as rows
       from pg_class c where relnamespace = $1::regnamespace and relkind in ('r', 'p') order by 1`,
    [schema],
  );
  return Object.fromEntries(tables.map(({ name, rows }) => [name, rows]));
}
