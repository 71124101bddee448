import type { Connection } from '../../../pg/connection.js';
import { type Sql, sql } from '../../../pg/sql.js';

/**
 * How such a transaction begins, in one message. A fleet at work is not kept from it by being looked at: no question takes
 * longer than a minute. Policies that would hide rows make a statement fail instead.
 */
const BEGIN = `begin read only; set local statement_timeout = '60s'; set local lock_timeout = '2s'; set local row_security = off`;

/**
 * Runs `work` in a transaction that cannot write.
 * @param before statements for this transaction alone
 */
export function readOnly<T>(
  session: Connection,
  work: () => Promise<T>,
  before: readonly Sql[] = [],
): Promise<T> {
  return session.transaction(async () => {
    for (const statement of before) await session.execute(statement);
    return work();
  }, BEGIN);
}

/** The statement that lets unqualified names mean what they mean in these schemas. */
export function searchPath(schemas: readonly string[]): Sql {
  return sql`select pg_catalog.set_config('search_path', ${schemas.map(quoted).join(', ')}, true)`;
}

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;
