import type pg from 'pg';
import type { LocalServer } from '../../src/embedded/server.js';
import { withClient } from './server.js';

/** What the server itself counts and ages. */
const AGES = `- 'relpages' - 'reltuples' - 'relallvisible' - 'relallfrozen' - 'relfrozenxid' - 'relminmxid' - 'relhassubclass'`;
const OURS = `('tenantctl', 'tenantctl_catalog')`;

/** Catalogs whose rows belong to a relation, a type or a function, with the expression that gives its schema. */
const CATALOGS: readonly [catalog: string, schema: string][] = [
  ['pg_class', 't.relnamespace'],
  ['pg_type', 't.typnamespace'],
  ['pg_proc', 't.pronamespace'],
  ['pg_attribute', '(select relnamespace from pg_class where oid = t.attrelid)'],
  ['pg_attrdef', '(select relnamespace from pg_class where oid = t.adrelid)'],
  ['pg_constraint', 't.connamespace'],
  ['pg_index', '(select relnamespace from pg_class where oid = t.indrelid)'],
  ['pg_trigger', '(select relnamespace from pg_class where oid = t.tgrelid)'],
  ['pg_policy', '(select relnamespace from pg_class where oid = t.polrelid)'],
  ['pg_rewrite', '(select relnamespace from pg_class where oid = t.ev_class)'],
  ['pg_namespace', 't.oid'],
  ['pg_default_acl', 't.defaclnamespace'],
];

const SHARED = [
  "select rolname, rolsuper, rolinherit, rolcreaterole, rolcanlogin, rolbypassrls, rolconnlimit, shobj_description(oid, 'pg_authid') from pg_roles",
  'select roleid, member, grantor, admin_option from pg_auth_members',
  'select setdatabase, setrole, setconfig from pg_db_role_setting',
];

/**
 * A digest of everything in a database that is the application's: every row of every table, every catalog row of every object
 * with owner and rights, and the roles of the cluster. Equal before and after means: nothing was touched.
 */
export async function dumpApplication(
  server: LocalServer,
  database: string,
): Promise<Record<string, string>> {
  return withClient(server.superuserUrl(database), async (client) => {
    const dump: Record<string, string> = {};
    for (const [catalog, schema] of CATALOGS)
      dump[catalog] = await digest(
        client,
        `select (to_jsonb(t) ${AGES})::text as line from ${catalog} t where ${schema} is distinct from 0
          and coalesce((select nspname from pg_namespace n where n.oid = ${schema}), '') not in ${OURS}
          and coalesce((select nspname from pg_namespace n where n.oid = ${schema}), '') !~ '^pg_'`,
      );
    for (const table of await tablesOf(client))
      dump[table] = await digest(client, `select t::text as line from ${table} t`);
    for (const text of SHARED) dump[text] = await digest(client, `select t::text as line from (${text}) t`);
    dump['database'] = await digest(
      client,
      'select concat(datacl, datconnlimit, datallowconn, datdba) as line from pg_database where datname = current_database()',
    );
    return dump;
  });
}

async function digest(client: pg.Client, lines: string): Promise<string> {
  const { rows } = await client.query<{ digest: string }>(
    `select concat(count(*), ' ', sum(hashtextextended(line, 0))) as digest from (${lines}) l`,
  );
  return rows[0]?.digest ?? '';
}

async function tablesOf(client: pg.Client): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    `select format('%I.%I', n.nspname, c.relname) as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where c.relkind in ('r', 'm') and n.nspname !~ '^pg_' and n.nspname not in ('information_schema', 'tenantctl', 'tenantctl_catalog') order by 1`,
  );
  return rows.map(({ name }) => name);
}
