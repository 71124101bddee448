import type { Selector } from '../../core/selector.js';
import type { MigrationUnit, UnitVersion } from '../../core/unit.js';
import type { Connection } from '../../pg/connection.js';
import { raw, sql } from '../../pg/sql.js';
import { HOLDS, type Hold, OLD_HOMES, describeHolds } from './holds.js';
import { selectorCondition } from './tenants.js';

/** A unit as the catalog knows it: its version as last seen, and the tenants that keep it back. */
export interface UnitRecord extends MigrationUnit {
  version: UnitVersion | null;
  /** The migration a tenant of it is pinned to, the lowest if there are several. */
  pinnedTo: number | null;
  /** The move that holds it, in words: until that has flipped the unit is not migrated. */
  moving: string | null;
  /** How long it has been held, in milliseconds; 0 when it is not. */
  heldMs: number;
  /** Tenants of it that the selection asked for; fewer than `tenantCount` in a partly selected pool. */
  selected: number;
}

type UnitRow = Omit<UnitRecord, 'moving' | 'heldMs'> & { holds: Hold[] | null };

/**
 * The units that hold at least one selected tenant, and the old homes of tenants in the grace period of a move. Tenants
 * that are still being provisioned do not count in the schema and database tiers: their homes are filled by `provision`.
 */
export async function listUnits(connection: Connection, select: Selector): Promise<UnitRecord[]> {
  const selected = selectorCondition(select);
  const rows = await connection.rows<UnitRow>(sql`
    with held as (${HOLDS})
    select u.id, u.tier, u.tier = 'pool' as shared, u.cluster, u.database, u.schema, u.ledger_key as "ledgerKey",
      case when u.version_id is null then null else jsonb_build_object('id', u.version_id, 'name', u.version_name) end as version,
      case when u.tier = 'pool' then '{}' else coalesce(array_agg(t.id) filter (where t.id is not null), '{}') end as tenants,
      count(t.id)::int as "tenantCount",
      count(t.id) filter (where ${selected})::int as selected,
      u.adopted, min(t.pinned_to) as "pinnedTo",
      h.moves as holds
    from tenantctl_catalog.units u
    left join tenantctl_catalog.placements p on p.unit = u.id and p.until is null
    left join tenantctl_catalog.tenants t on t.id = p.tenant and t.status not in ('deleted')
      and (u.tier = 'pool' or t.status <> 'provisioning')
    left join held h on h.unit = u.id
    group by u.id, h.moves
    having ${select.length === 0 ? raw("u.tier = 'pool' or count(t.id) > 0") : sql`count(t.id) filter (where ${selected}) > 0`}
    union all
    select o.unit, o.tier, false, o.cluster, o.database, o.schema, o.ledger_key, null, '{}', 0, 0, o.adopted, t.pinned_to, h.moves
    from (${OLD_HOMES}) o
    join tenantctl_catalog.tenants t on t.id = o.tenant
    join tenantctl_catalog.placements p on p.tenant = t.id and p.until is null
    left join held h on h.unit = o.unit
    where ${selected}
    order by 1`);
  return rows.map(({ holds, ...unit }) => ({
    ...unit,
    moving: describeHolds(holds ?? []),
    heldMs: holds?.[0]?.ms ?? 0,
  }));
}

/** Does a tenant still live in this unit, or has it an old home there? */
export async function hasTenant(connection: Connection, unit: string): Promise<boolean> {
  const row = await connection.row(sql`
    select from tenantctl_catalog.placements p join tenantctl_catalog.tenants t on t.id = p.tenant
     where p.unit = ${unit} and p.until is null and t.status <> 'deleted'
    union all
    select from (${OLD_HOMES}) o where o.unit = ${unit}`);
  return row !== undefined;
}
