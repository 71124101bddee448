import type { Connection } from '../../pg/connection.js';
import { sqlstateOf } from '../../pg/errors.js';
import { withLockRetry } from '../../pg/retry.js';
import { type Sql, ident, literal, raw, script, sql } from '../../pg/sql.js';
import { type Side, tableOf } from '../rows/side.js';
import type { ScopedTable } from '../rows/scope.js';

/** Looks again after a deletion. It is not the role that deletes, owns nothing, and can only read. */
export const RESCAN_ROLE = 'tenantctl_rescan';

const POLICY = ident('tenantctl_rescan');
const GRANT_OPTIONS_SINCE = 160_000;
const LOCK_TIMEOUT_MS = 100;
const TRIES = 12;

/** Makes the role where it is missing. Again: no change. */
export async function ensureRescanRole(session: Connection): Promise<void> {
  const there = await session.row(sql`select from pg_roles where rolname = ${RESCAN_ROLE}`);
  if (there !== undefined) return;
  const role = ident(RESCAN_ROLE).text();
  const options = session.version >= GRANT_OPTIONS_SINCE ? ' with inherit false, set true' : '';
  try {
    await session.message(
      script([
        raw('begin'),
        raw(`create role ${role} nologin noinherit`),
        raw(`grant ${role} to current_user${options}`),
        raw('commit'),
      ]),
    );
  } catch (error) {
    await session.rollback();
    // Another process made it in the same moment.
    if (!['42710', '23505'].includes(sqlstateOf(error) ?? '')) throw error;
  }
}

/**
 * Lets that role read the tables of a pool: a policy and a grant each. Row-level security hides rows from the
 * role that deletes as soon as one policy is wrong, and then its own count of what is left would be nought as well.
 * Again: no change.
 */
export async function letRescanRead(
  session: Connection,
  side: Side,
  tables: readonly ScopedTable[],
): Promise<void> {
  const { schema } = side.home.placement;
  const role = ident(RESCAN_ROLE);
  await session.execute(sql`grant usage on schema ${ident(schema)} to ${role}`);
  for (const { name } of await withoutPolicy(session, side, tables)) {
    const table = tableOf(side, name);
    const condition = `session_user = ${literal(session.user)} and current_setting('tenantctl.scope', true) = 'rescan'`;
    await withLockRetry(TRIES, new Set(), () =>
      session.atomically([
        raw(`set local lock_timeout = ${LOCK_TIMEOUT_MS}`),
        sql`grant select on ${table} to ${role}`,
        sql`create policy ${POLICY} on ${table} for select to ${role} using (${raw(condition)})`,
      ]),
    );
  }
}

async function withoutPolicy(
  session: Connection,
  side: Side,
  tables: readonly ScopedTable[],
): Promise<ScopedTable[]> {
  const rows = await session.rows<{ name: string }>(sql`
    select c.relname::text as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where n.nspname = ${side.home.placement.schema} and c.relname = any (${tables.map(({ name }) => name)}::text[])
       and exists (select from pg_policy p where p.polrelid = c.oid and p.polname = 'tenantctl_rescan')`);
  const done = new Set(rows.map(({ name }) => name));
  return tables.filter(({ name }) => !done.has(name));
}

/** Becomes that role for the rest of the session. */
export function becomeRescan(): Sql {
  return sql`set role ${ident(RESCAN_ROLE)}; set tenantctl.scope = 'rescan'`;
}
