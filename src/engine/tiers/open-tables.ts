import type { Connection } from '../../pg/connection.js';
import { raw, sql } from '../../pg/sql.js';
import type { Fleet } from '../context.js';
import { isToolTable } from '../ledger/tool-tables.js';
import type { Home } from '../local/placements.js';

const NAMED = 3;

/** Tells in which tables of a pool a tenant that is shut is refused nothing: only policies ask the placement, and a pool that observes has none. */
export async function tellWhatHasNoPolicies(
  fleet: Fleet,
  connection: Connection,
  { tenant, placement: { pool, schema } }: Home,
): Promise<void> {
  const open = await openTables(connection, schema, fleet.settings.tenancy.column);
  if (open.length === 0) return;
  fleet.emit({
    type: 'notice',
    level: 'warning',
    code: 'HOME_STAYS_OPEN',
    message: `tenant ${tenant.id} is shut, but its rows in ${few(open)} of pool ${pool} are reached as before: row-level security is off there. Only applications that ask tenantctl.admit are refused`,
  });
}

/** Tables of tenants without row-level security; partitions are reached through their parent. */
async function openTables(connection: Connection, schema: string, column: string): Promise<string[]> {
  const rows = await connection.rows<{ name: string }>(sql`
    select c.relname::text as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where n.nspname = ${schema} and c.relkind in ('r', 'p') and not c.relispartition and not c.relrowsecurity
       and not ${raw(isToolTable('c'))}
       and exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = ${column} and not a.attisdropped)
     order by 1`);
  return rows.map(({ name }) => name);
}

/** `item and note`, `item, note and 3 more` */
function few(names: readonly string[]): string {
  const shown = names.slice(0, NAMED);
  const rest = names.length - shown.length;
  if (rest > 0) return `${shown.join(', ')} and ${rest} more`;
  return [shown.slice(0, -1).join(', '), shown.at(-1)].filter(Boolean).join(' and ');
}
