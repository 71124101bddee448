import { conflictError, refusedError } from '../../core/errors.js';
import type { Connection } from '../../pg/connection.js';
import { sql } from '../../pg/sql.js';
import type { Side } from '../rows/side.js';
import type { Stream } from './sync.js';
import type { TenantTable } from '../rows/tables.js';

/**
 * Do both homes have the same tables with the same columns?
 * @throws refusal `HOMES_DIFFER` (exit 6) that names what differs
 */
export function assertAlike(moved: readonly TenantTable[], twins: readonly TenantTable[]): void {
  const [here, there] = [moved.map(shapeOf), twins.map(shapeOf)];
  const difference = [
    ...here.filter((one) => !there.includes(one)),
    ...there.filter((one) => !here.includes(one)),
  ];
  if (difference.length === 0) return;
  throw refusedError(
    'HOMES_DIFFER',
    `The two homes do not have the same tables: ${difference.slice(0, 4).join('; ')}.`,
    {
      hint: 'Bring both to the same migrations first: `tenantctl status` shows who is behind, `runs explain` whose shape differs.',
      facts: { differences: difference },
    },
  );
}

function shapeOf({ name, columns }: TenantTable): string {
  return `${name}: ${columns.map((column) => `${column.name} ${column.type}${column.generated ? ' generated' : ''}`).join(', ')}`;
}

/** Stands for the tables of a home and their columns: another one says that somebody has changed them. */
export async function tablesSignature(session: Connection, { home }: Side): Promise<string> {
  const row = await session.row<{ signature: string }>(sql`
    select md5(coalesce(string_agg(concat_ws(' ', c.oid, c.relname, c.relkind, a.attnum, a.attname, a.atttypid, a.atttypmod, a.attgenerated, a.attisdropped), ';'
        order by c.oid, a.attnum), '')) as signature
      from pg_class c join pg_namespace n on n.oid = c.relnamespace join pg_attribute a on a.attrelid = c.oid and a.attnum > 0
     where n.nspname = ${home.placement.schema} and c.relkind in ('r', 'p')`);
  return row?.signature ?? '';
}

/** @throws conflict `TABLES_CHANGED` (exit 5): columns that came meanwhile would not have been copied */
export async function assertUnchanged({ signature, from: { session, side } }: Stream): Promise<void> {
  if ((await tablesSignature(session, side)) === signature) return;
  const { home } = side;
  const { schema, database } = home.placement;
  throw conflictError(
    'TABLES_CHANGED',
    `Somebody has changed tables of schema ${schema} in database ${database} while tenant ${home.tenant.id} was being moved.`,
    {
      hint: 'The tenant stays where it is. `tenantctl moves abort` takes the move back; migrations wait for a move by themselves.',
      facts: { tenant: home.tenant.id, schema, database },
    },
  );
}
