import type pg from 'pg';
import type { LocalServer } from '../../../src/embedded/server.js';
import { query, withClient } from '../../support/server.js';

/** What the server itself counts and ages, and what each session leaves. */
const NOT_DUMPED = ['pg_statistic', 'pg_statistic_ext_data'];
const AGES = `- 'relpages' - 'reltuples' - 'relallvisible' - 'relallfrozen' - 'relfrozenxid' - 'relminmxid' - 'datfrozenxid' - 'datminmxid'`;

/**
 * A digest of every row of every table of every database, the server's own catalogs among them; sequences are left out.
 * Run it on a server without autovacuum.
 * @param only the one database to be dumped
 */
export async function dumpOf(server: LocalServer, only?: string): Promise<Record<string, string>> {
  const databases = await query<{ name: string }>(
    server.superuserUrl('postgres'),
    `select datname as name from pg_database where datallowconn and datname <> 'template1' order by 1`,
  );
  const dump: Record<string, string> = {};
  for (const { name } of databases.filter((database) => only === undefined || database.name === only))
    await withClient(server.superuserUrl(name), async (client) => {
      for (const table of await tablesOf(client)) {
        const { rows } = await client.query<{ digest: string }>(
          `select count(*) || ' ' || coalesce(sum(hashtextextended((to_jsonb(t) ${AGES})::text || t.tableoid, 0)::numeric), 0) as digest from ${table} t`,
        );
        dump[`${name}: ${table}`] = String(rows[0]?.digest);
      }
    });
  return dump;
}

async function tablesOf(client: pg.Client): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    `select format('%I.%I', n.nspname, c.relname) as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where c.relkind in ('r', 'm') and n.nspname not like 'pg_toast%' and n.nspname not like 'pg_temp%'
        and c.relname <> all ($1) order by 1`,
    [NOT_DUMPED],
  );
  return rows.map(({ name }) => name);
}
