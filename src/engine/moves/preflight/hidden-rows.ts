import { isToolTable } from '../../ledger/tool-tables.js';
import { ident, raw, sql } from '../../../pg/sql.js';
import type { Inspected, MoveFinding } from './finding.js';

/**
 * Forced row-level security hides the rows of a home of the tenant's own from the administrator, who would copy and
 * compare nothing: both homes would be found equal. In a pool a policy of ours lets the administrator see.
 */
export async function hiddenRows({
  session,
  side,
}: Pick<Inspected, 'session' | 'side'>): Promise<MoveFinding[]> {
  if (side.shared) return [];
  const { schema } = side.home.placement;
  const tables = await session.rows<{ relation: string }>(sql`
    select c.relname::text as relation from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where n.nspname = ${schema} and c.relkind in ('r', 'p') and not c.relispartition and row_security_active(c.oid) and not ${raw(isToolTable('c'))}
     order by 1`);
  return tables.map(({ relation }) => ({
    rule: 'rows-hidden',
    level: 'error',
    where: relation,
    message: `Row-level security is forced on table ${relation} of schema ${schema}, which hides its rows from ${session.user}, so they could not be moved.`,
    hint: `The application is not the owner and stays bound by it without: alter table ${ident(schema, relation).text()} no force row level security;`,
  }));
}
