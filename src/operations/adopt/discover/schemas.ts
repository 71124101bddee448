import type { Connection } from '../../../pg/connection.js';
import { sql } from '../../../pg/sql.js';
import { readOnly } from './read-only.js';

/** Schemas of this tool, and `public`: nobody's home by itself. */
const NEVER = ['information_schema', 'public', 'tenantctl', 'tenantctl_catalog'];

/**
 * The schemas of a database whose names fit a pattern of LIKE, without those of PostgreSQL, of this tool and of extensions.
 * @param others further schemas that are none of a tenant's, such as pools
 */
export async function schemasLike(
  session: Connection,
  pattern: string,
  others: readonly string[],
): Promise<string[]> {
  const rows = await readOnly(session, () =>
    session.rows<{ name: string }>(sql`
      select n.nspname::text as name from pg_namespace n
       where n.nspname::text like ${pattern} and n.nspname !~ '^pg_' and n.nspname <> all (${[...NEVER, ...others]}::text[])
         and not exists (select from pg_depend d
           where d.classid = 'pg_namespace'::regclass and d.objid = n.oid and d.deptype = 'e')
       order by n.nspname::text collate "C"`),
  );
  return rows.map(({ name }) => name);
}
