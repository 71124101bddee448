import type { Connection } from '../../pg/connection.js';
import { raw, sql } from '../../pg/sql.js';

/** Tenants and units of one tier. */
export interface TierCounts {
  tier: string;
  tenants: number;
  units: number;
  statuses: Record<string, number>;
}

export async function readFleetCounts(connection: Connection): Promise<TierCounts[]> {
  return connection.rows<TierCounts>(
    raw(`
    with counted as (
      select p.tier, t.status, count(*)::int as tenants
        from tenantctl_catalog.tenants t join tenantctl_catalog.placements p on p.tenant = t.id and p.until is null
       where t.status <> 'deleted' group by p.tier, t.status)
    select tier, sum(tenants)::int as tenants,
           (select count(*)::int from tenantctl_catalog.units u where u.tier = counted.tier) as units,
           jsonb_object_agg(status, tenants) as statuses
      from counted group by tier order by array_position(array['pool', 'schema', 'database'], tier)`),
  );
}

export interface VersionCounts {
  versions: { id: number | null; name: string | null; units: number }[];
  behind: { unit: string; version: string | null }[];
}

/** The oldest version of the units of each tier. */
export async function oldestVersions(connection: Connection): Promise<Map<string, number>> {
  const rows = await connection.rows<{ tier: string; id: number }>(
    raw(`select tier, min(coalesce(version_id, 0)) as id from tenantctl_catalog.units u
          where exists (${INHABITED}) group by tier`),
  );
  return new Map(rows.map(({ tier, id }) => [tier, id]));
}

/** The newest version that any unit has; 0 when none has any. */
export async function newestVersion(connection: Connection): Promise<number> {
  const row = await connection.row<{ id: number }>(
    raw('select coalesce(max(version_id), 0) as id from tenantctl_catalog.units'),
  );
  return row?.id ?? 0;
}

/** The contract-phase files that a run was told to carry out, and that none has taken back since. */
export async function contractsBegun(connection: Connection): Promise<Set<number>> {
  const rows = await connection.rows<{ id: number }>(
    raw(`
    select m.id from tenantctl_catalog.run_migrations m join tenantctl_catalog.runs r on r.id = m.run
     where m.phase = 'contract' group by m.id
    having max(r.started_at) filter (where r.kind = 'migrate' and (r.policy ->> 'contract')::boolean)
           > coalesce(max(r.started_at) filter (where r.kind = 'rollback'), '-infinity')`),
  );
  return new Set(rows.map(({ id }) => id));
}

/**
 * Units by version, newest first, and the first of those below a version by name.
 * @param due the version that units of each tier should have; a tier that is not in it has nothing to have
 */
export async function readVersionCounts(
  connection: Connection,
  due: ReadonlyMap<string, number>,
  named: number,
): Promise<VersionCounts> {
  const versions = await connection.rows<VersionCounts['versions'][number]>(
    raw(`
    select version_id as id, version_name as name, count(*)::int as units
      from tenantctl_catalog.units u where exists (${INHABITED})
     group by version_id, version_name order by version_id desc nulls last`),
  );
  const behind = await connection.rows<VersionCounts['behind'][number]>(sql`
    select u.id as unit, u.version_name as version from tenantctl_catalog.units u
     where coalesce(u.version_id, 0) < (${JSON.stringify(Object.fromEntries(due))}::jsonb ->> u.tier)::int and exists (${raw(INHABITED)}) order by u.id limit ${named}`);
  return { versions, behind };
}

/** A unit whose only tenant is still being provisioned is not part of the fleet yet. */
const INHABITED = `select from tenantctl_catalog.placements p join tenantctl_catalog.tenants t on t.id = p.tenant
  where p.unit = u.id and p.until is null and t.status not in ('provisioning', 'deleted')`;

/** Moves that have not ended. */
export async function openMoves(connection: Connection): Promise<OpenMove[]> {
  return connection.rows<OpenMove>(
    raw(`
    select id as move, tenant, from_home->>'tier' as from, to_home->>'tier' as to, method,
           state, undo_state as undo, to_char(started_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as "startedAt",
           to_char(grace_until at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as "graceUntil",
           coalesce(state = 'grace' and undo_state is null and grace_until <= now(), false) as due
      from tenantctl_catalog.moves where finished_at is null order by started_at`),
  );
}

/** A move that has not ended, in a line. */
export interface OpenMove {
  move: string;
  tenant: string;
  from: string;
  to: string;
  method: string;
  state: string;
  /** How far its way back has come; null while nobody asked for one. */
  undo: string | null;
  startedAt: string;
  graceUntil: string | null;
  /** Its grace period is over: the old copy may be deleted. */
  due: boolean;
}

/** Tenants whose retention period is over, those on hold left out. */
export async function dueOffboardings(connection: Connection): Promise<{ tenant: string; dueAt: string }[]> {
  return connection.rows(
    raw(`
    select o.tenant, to_char(o.due_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as "dueAt" from tenantctl_catalog.offboardings o
     where o.finished_at is null and o.due_at <= now()
       and not exists (select from tenantctl_catalog.holds h where h.tenant = o.tenant and h.released_at is null) order by o.due_at`),
  );
}
