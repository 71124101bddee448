import type { Connection } from '../../../pg/connection.js';
import { type Sql, raw, sql } from '../../../pg/sql.js';

/** How long one question may take: a fleet at work is not kept from it by being looked at. */
const PATIENCE = '60s';

/**
 * Runs `work` in a transaction that cannot write. Policies that would hide rows make a statement fail instead.
 * @param before statements for this transaction alone
 */
export function readOnly<T>(
  session: Connection,
  work: () => Promise<T>,
  before: readonly Sql[] = [],
): Promise<T> {
  return session.transaction(async () => {
    await session.execute(raw(`set local statement_timeout = '${PATIENCE}'`));
    await session.execute(raw("set local lock_timeout = '2s'"));
    await session.execute(raw('set local row_security = off'));
    for (const statement of before) await session.execute(statement);
    return work();
  }, 'begin read only');
}

/** The statement that lets unqualified names mean what they mean in these schemas. */
export function searchPath(schemas: readonly string[]): Sql {
  return sql`select pg_catalog.set_config('search_path', ${schemas.map(quoted).join(', ')}, true)`;
}

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;
