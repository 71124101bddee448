import type { Connection } from '../../../pg/connection.js';
import { join, sql } from '../../../pg/sql.js';
import type { Side } from '../../rows/side.js';
import type { TenantTable } from '../../rows/tables.js';
import { RULES } from './finding-rules.js';
import { movedRelations } from './moved-relations.js';

/** What stands in the way of a move into or out of a pool, and what to do about it. */
export interface PoolFinding {
  rule: string;
  /** A warning only makes the move slower, or is to be looked at. */
  level: 'error' | 'warning';
  /** The table, server or trigger that it is about. */
  where: string;
  message: string;
  /** The SQL that removes it. */
  hint: string;
}

/**
 * Looks for what the merge cannot answer for in a pool.
 * @param tables those that are moved
 */
export async function poolFindings(
  session: Connection,
  side: Side,
  tables: readonly TenantTable[],
): Promise<PoolFinding[]> {
  const names = tables.map(({ name }) => name);
  const subject = {
    admin: session.user,
    tenantColumn: tables[0]?.tenantColumn ?? '',
    keys: tables.flatMap(({ name, key }) => key.map((column) => ({ table: name, column }))),
  };
  const rules = RULES.map((rule) => sql`(${rule(subject)})`);
  return session.rows<PoolFinding>(sql`
    with ${movedRelations(side.home.placement.schema, names)}
    select rule, level, place as where, message, hint from (${join(rules, ' union all ')}) finding (rule, level, place, message, hint)
     order by level, rule, place, message`);
}
