import { createHash } from 'node:crypto';
import type { Connection } from '../../pg/connection.js';
import { type Sql, sql } from '../../pg/sql.js';
import type { Home } from './placements.js';

/** What the comment of every role begins with that we have made for one tenant. */
const MARK = 'tenantctl: tenant ';

/** The comment by which we know a role as ours, and this tenant's alone. */
export function roleMark({ tenant: { id, key } }: Pick<Home, 'tenant'>): string {
  // Roles belong to the whole cluster: another fleet may have a tenant of the same id, but not its key.
  return `${MARK}${id} ${createHash('sha256').update(key).digest('hex').slice(0, 16)}`;
}

/** The condition that a row of `pg_roles`, called `r`, is a role that we have made for one tenant. */
export const IS_MADE_FOR_A_TENANT: Sql = sql`starts_with(coalesce(shobj_description(r.oid, 'pg_authid'), ''), ${MARK})`;

/** Is the role of a home one that we have made for its tenant? One that was there before us may serve others as well. */
export async function isTenantsOwn(
  connection: Connection,
  home: Pick<Home, 'tenant' | 'placement'>,
): Promise<boolean> {
  const row = await connection.row<{ own: boolean }>(sql`
    select shobj_description(oid, 'pg_authid') is not distinct from ${roleMark(home)} as own
      from pg_roles where rolname = ${home.placement.role}`);
  return row?.own === true;
}
