import type { Connection } from '../../pg/connection.js';
import { type Sql, ident, raw, sql } from '../../pg/sql.js';
import type { MigrationTarget } from './target.js';

/** The statement after which the administrator is itself again. */
export const ITSELF_AGAIN = raw('reset role');

/**
 * The statement by which what follows is done, until the transaction ends, by the role that owns the unit's tables: what it
 * makes is owned, and granted by default privileges, like everything else there. Null where that is the administrator.
 */
export function becomeOwner({ unit }: Pick<MigrationTarget, 'unit'>): Sql | null {
  const owner = unit.adopted?.owner ?? null;
  return owner === null ? null : sql`set local role ${ident(owner)}`;
}

/** Runs `work`, which consists of statements that are sent alone, as the role that owns the unit's tables. */
export async function asOwner<T>(
  connection: Connection,
  { unit }: Pick<MigrationTarget, 'unit'>,
  work: () => Promise<T>,
): Promise<T> {
  const owner = unit.adopted?.owner ?? null;
  if (owner === null) return work();
  await connection.execute(sql`set role ${ident(owner)}`);
  try {
    return await work();
  } finally {
    // After a failure within a transaction its end does so.
    if (connection.usable) await connection.execute(ITSELF_AGAIN).catch(() => undefined);
  }
}
