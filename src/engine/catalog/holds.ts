import { formatDuration } from '../../core/duration.js';
import type { Connection } from '../../pg/connection.js';
import { raw, sql } from '../../pg/sql.js';

/** What the id of an old home ends with while the grace period of a move lasts. */
const OLD_HOME = '@old';

/** A move that holds a unit. */
export interface Hold {
  tenant: string;
  /** The beginning of its id. */
  move: string;
  state: string;
  /** How long it has held the unit. */
  ms: number;
}

const BEFORE_FLIP = `m.state in ('planned', 'prepared', 'copying', 'syncing', 'verified', 'moved')`;
const BETWEEN_HOMES = `(${BEFORE_FLIP} or m.undo_state in ('syncing', 'moved'))`;

/** A move `m` as what holds a unit. */
const HOLD = `select m.tenant, left(m.id, 8) as move, case when m.undo_state is null then m.state else 'going back' end as state,
  extract(epoch from now() - coalesce(m.undo_at, m.started_at))::float8 * 1000 as ms`;

/**
 * The units that moves hold, as a query of (unit, moves), the longest hold first: both homes until the flip, and again
 * while a tenant goes back; a home that was left until it is released.
 */
export const HOLDS = raw(`
  select unit, jsonb_agg(jsonb_build_object('tenant', tenant, 'move', move, 'state', state, 'ms', ms) order by ms desc) as moves
    from (
      select p.unit || case when p.tier <> 'pool' and m.state in ('flipped', 'grace') then '${OLD_HOME}' else '' end as unit, held.*
        from tenantctl_catalog.moves m
        join tenantctl_catalog.placements p on p.tenant = m.tenant and p.epoch = m.from_epoch
       cross join lateral (${HOLD}) held
       where m.finished_at is null and (${BETWEEN_HOMES} or m.state = 'flipped')
      union
      select coalesce(p.unit, 'pool:' || (m.to_home ->> 'pool')), held.*
        from tenantctl_catalog.moves m
        left join tenantctl_catalog.placements p on p.tenant = m.tenant and p.epoch = m.to_epoch
       cross join lateral (${HOLD}) held
       where m.finished_at is null and (${BETWEEN_HOMES} or (m.undo_state = 'flipped' and m.to_home ->> 'pool' is not null))
    ) held where unit is not null group by unit`);

/**
 * The old homes of tenants in their grace period that are units of their own, as a query. A pool is a unit anyway. They
 * are migrated as well, so that the way back leads to a home of the same version.
 */
export const OLD_HOMES = raw(`
  select m.tenant, p.unit || '${OLD_HOME}' as unit, p.tier, p.cluster, p.database, p.schema,
         case p.tier when 'schema' then 'schema:' || p.schema else 'self' end as ledger_key,
         (select u.adopted from tenantctl_catalog.units u
           where u.id = p.unit and (u.cluster, u.database, u.schema) = (p.cluster, p.database, p.schema)) as adopted
    from tenantctl_catalog.moves m
    join tenantctl_catalog.placements p on p.tenant = m.tenant and p.epoch = m.from_epoch
   where m.finished_at is null and m.state in ('flipped', 'grace') and m.undo_state is null and p.tier <> 'pool'`);

/** Is this the id of an old home? */
export function isOldHome(unit: string): boolean {
  return unit.endsWith(OLD_HOME);
}

/** `tenant acme, move 1a2b3c4d is copying, for 12 min 3 s` */
export function describeHolds([first, ...others]: readonly Hold[]): string | null {
  if (first === undefined) return null;
  const { tenant, move, state, ms } = first;
  const more = others.length === 0 ? '' : ` and ${others.length} more`;
  return `tenant ${tenant}, move ${move} is ${state}, for ${formatDuration(ms)}${more}`;
}

/** Which move holds this unit now, in words; null when none does. */
export async function holdOn(connection: Connection, unit: string): Promise<string | null> {
  const row = await connection.row<{ moves: Hold[] }>(
    sql`select moves from (${HOLDS}) held where unit = ${unit}`,
  );
  return describeHolds(row?.moves ?? []);
}

/** Tenants that have two homes: a contract-phase migration would close their way back, or break it. */
export async function tenantsBetweenHomes(connection: Connection): Promise<string[]> {
  const rows = await connection.rows<{ tenant: string }>(
    raw('select tenant from tenantctl_catalog.moves where finished_at is null order by tenant'),
  );
  return rows.map(({ tenant }) => tenant);
}
