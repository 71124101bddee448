import { isToolTable } from '../ledger/tool-tables.js';
import { type TenantctlError, conflictError, refusedError } from '../../core/errors.js';
import type { ExportManifest } from '../../core/export-manifest.js';
import type { Connection } from '../../pg/connection.js';
import { type DatabaseError, isDatabaseError, sqlstateOf } from '../../pg/errors.js';
import { ident, join, raw, sql } from '../../pg/sql.js';
import type { Fleet } from '../context.js';
import { type Side, inSide, tableOf } from '../rows/side.js';
import { REFERRED_TABLE } from './closure.js';

/** One moment of a home, held by a session. */
export interface Snapshot {
  session: Connection;
  side: Side;
  /** By which other sessions of that database see the same moment. */
  id: string;
}

/** How long a table may be locked by somebody who changes it. */
const LOCK_TIMEOUT = '30s';
const TRIES = 3;
const TABLE_GONE = '42P01';
const LOCKED = '55P03';

/**
 * Reads a home as it was at one moment, whatever its tenant is answered. Its tables are locked against changes of their
 * shape before that moment: a table that is rewritten afterwards would look empty from it.
 * @throws conflict `EXPORT_TABLE_LOCKED`, `EXPORT_TABLES_CHANGED` or `EXPORT_TABLE_UNREADABLE` (exit 5)
 * @throws refusal `EXPORT_ROWS_HIDDEN` (exit 6)
 */
export function inSnapshot<T>(
  fleet: Fleet,
  side: Side,
  work: (snapshot: Snapshot) => Promise<T>,
): Promise<T> {
  return inSide(fleet, side, 'export', async (session) => {
    // Whole tables are read here, not a few rows by key.
    await session.message(
      `set enable_hashjoin = on; set enable_mergejoin = on; set lock_timeout = '${LOCK_TIMEOUT}'; ${REFERRED_TABLE}`,
    );
    for (let left = TRIES; left > 0; left -= 1) {
      const done = await tryMoment(session, side, work);
      if (done !== undefined) return done.value;
    }
    throw tablesChange(side);
  });
}

/** @returns undefined, without calling `work`, when tables came or went before they were locked */
async function tryMoment<T>(
  session: Connection,
  side: Side,
  work: (snapshot: Snapshot) => Promise<T>,
): Promise<{ value: T } | undefined> {
  const tables = await listTables(session, side);
  let locked = false;
  try {
    return await session.transaction(async () => {
      await lockTables(session, side, tables);
      locked = true;
      // The first statement that reads makes the snapshot: nothing may come between the locks and it.
      const row = await session.row<{ id: string }>(raw('select pg_export_snapshot() as id'));
      if ((await listTables(session, side)).join('\n') !== tables.join('\n')) return undefined;
      await refuseHiddenRows(session, side);
      return { value: await work({ session, side, id: (row as { id: string }).id }) };
    }, 'begin isolation level repeatable read read only');
  } catch (error) {
    if (!locked && sqlstateOf(error) === TABLE_GONE) return undefined;
    if (sqlstateOf(error) === LOCKED) throw tableLocked(side, error);
    throw isDatabaseError(error) ? unreadable(side, error) : error;
  }
}

async function listTables(session: Connection, { home }: Side): Promise<string[]> {
  const rows = await session.rows<{ name: string }>(sql`
    select c.relname::text as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where n.nspname = ${home.placement.schema} and c.relkind in ('r', 'p') and not c.relispartition and not ${raw(isToolTable('c'))} order by 1`);
  return rows.map(({ name }) => name);
}

async function lockTables(session: Connection, side: Side, tables: readonly string[]): Promise<void> {
  if (tables.length === 0) return;
  const names = join(tables.map((table) => tableOf(side, table)));
  await session.message(sql`lock table ${names} in access share mode`.text());
}

interface HidingTable {
  name: string;
  /** Statements that let the administrator see; empty where no policy lets it. */
  remedies: string[];
  policies: string[];
}

/**
 * Forced row-level security hides rows from the administrator, unless a policy of ours lets it see and no restrictive one
 * of the user's takes rows away again.
 */
async function refuseHiddenRows(session: Connection, { home }: Side): Promise<void> {
  const { schema } = home.placement;
  const hiding = await session.rows<HidingTable>(sql`
    select c.relname::text as name, r.policies, r.remedies
      from pg_class c join pg_namespace n on n.oid = c.relnamespace
      cross join lateral (
        select coalesce(array_agg(p.polname::text order by p.polname), '{}') as policies,
            coalesce(array_agg(format('alter policy %I on %I.%I using ((%s) or %s);', p.polname, n.nspname, c.relname, w.reads,
              tenantctl.fleet_condition()) order by p.polname), '{}') as remedies
          from pg_policy p cross join lateral (select pg_get_expr(p.polqual, p.polrelid) as reads) w
         where p.polrelid = c.oid and not p.polpermissive and p.polcmd in ('*', 'r') and w.reads not like '%tenantctl.scope%'
           and exists (select from unnest(p.polroles) u (oid) where u.oid = 0 or pg_has_role(u.oid, 'usage'))) r
     where n.nspname = ${schema} and c.relkind in ('r', 'p') and not c.relispartition and row_security_active(c.oid)
       and (r.policies <> '{}' or not exists (select from pg_policy p
         where p.polrelid = c.oid and p.polpermissive and p.polcmd in ('*', 'r')
           and pg_get_expr(p.polqual, p.polrelid) like '%tenantctl.scope%'))
     order by 1`);
  if (hiding.length === 0) return;
  const said = hiding.map(({ name, policies }) =>
    policies.length === 0 ? name : `${name} (policy ${policies.join(', ')})`,
  );
  const remedies = hiding.flatMap(({ name, remedies: own }) =>
    own.length > 0 ? own : [`alter table ${ident(schema, name).text()} no force row level security;`],
  );
  throw refusedError(
    'EXPORT_ROWS_HIDDEN',
    `Row-level security hides rows of ${said.join(', ')} in schema ${schema} from ${session.user}, so they would be missing in an export.`,
    {
      hint: `The application stays bound by it, as it is not the owner, with: ${remedies.join(' ')}`,
      facts: { tenant: home.tenant.id, schema, tables: hiding.map(({ name }) => name) },
    },
  );
}

/** What a manifest says of the server and of the moment. */
export async function describeSnapshot({
  session,
  id,
}: Snapshot): Promise<Pick<ExportManifest, 'server' | 'snapshot' | 'settings'>> {
  const row = await session.row<Described>(sql`
    select pg_encoding_to_char(d.encoding) as encoding, d.datcollate as collation,
        case when pg_is_in_recovery() then pg_last_wal_replay_lsn() else pg_current_wal_lsn() end::text as lsn,
        to_char(now() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as at,
        (select json_object_agg(name, current_setting(name) order by name) from unnest(${SETTINGS}::text[]) as name) as settings
      from pg_database d where d.datname = current_database()`);
  const { encoding, collation, lsn, at, settings } = row as Described;
  return { server: { version: session.version, encoding, collation }, snapshot: { id, lsn, at }, settings };
}

interface Described {
  encoding: string;
  collation: string;
  lsn: string;
  at: string;
  settings: Record<string, string>;
}

const SETTINGS = [
  'TimeZone',
  'DateStyle',
  'IntervalStyle',
  'extra_float_digits',
  'bytea_output',
  'xmloption',
  'client_encoding',
];

function tableLocked({ home }: Side, cause: unknown): TenantctlError {
  const { schema, database } = home.placement;
  return conflictError(
    'EXPORT_TABLE_LOCKED',
    `A table of schema ${schema} in database ${database} has been locked by somebody else for ${LOCK_TIMEOUT}.`,
    {
      hint: 'A migration may be at work there; `tenantctl status` shows it. Run the same command again.',
      facts: { tenant: home.tenant.id, schema, database },
      cause,
    },
  );
}

/** What the server says names the table. */
function unreadable({ home }: Side, cause: DatabaseError): TenantctlError {
  const { schema, database } = home.placement;
  return conflictError(
    'EXPORT_TABLE_UNREADABLE',
    `Schema ${schema} in database ${database} cannot be exported: ${cause.message} (SQLSTATE ${cause.code}).`,
    {
      hint: 'Nothing was written. The administrator of the cluster must be able to read every table, as their owner or as a member of that role.',
      facts: { tenant: home.tenant.id, schema, database, sqlstate: cause.code },
      cause,
    },
  );
}

function tablesChange({ home }: Side): TenantctlError {
  const { schema, database } = home.placement;
  return conflictError(
    'EXPORT_TABLES_CHANGED',
    `Tables of schema ${schema} in database ${database} come and go while they are to be exported.`,
    {
      hint: 'Run the same command again when the migration is through.',
      facts: { tenant: home.tenant.id, schema, database },
    },
  );
}
