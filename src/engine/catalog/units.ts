import type { Selector } from '../../core/selector.js';
import type { MigrationUnit, UnitVersion } from '../../core/unit.js';
import type { Connection } from '../../pg/connection.js';
import { raw, sql } from '../../pg/sql.js';
import { selectorCondition } from './tenants.js';

/** A unit as the catalog knows it: its version as last seen, and the tenants that keep it back. */
export interface UnitRecord extends MigrationUnit {
  version: UnitVersion | null;
  /** The migration a tenant of it is pinned to, the lowest if there are several. */
  pinnedTo: number | null;
  moving: boolean;
  /** Tenants of it that the selection asked for; fewer than `tenantCount` in a partly selected pool. */
  selected: number;
}

/**
 * The units that hold at least one selected tenant. Tenants that are still being provisioned do not
 * count in the schema and database tiers: their homes are filled by `provision`.
 */
export async function listUnits(connection: Connection, select: Selector): Promise<UnitRecord[]> {
  return connection.rows<UnitRecord>(sql`
    select u.id, u.tier, u.tier = 'pool' as shared, u.cluster, u.database, u.schema, u.ledger_key as "ledgerKey",
      case when u.version_id is null then null else jsonb_build_object('id', u.version_id, 'name', u.version_name) end as version,
      case when u.tier = 'pool' then '{}' else coalesce(array_agg(t.id) filter (where t.id is not null), '{}') end as tenants,
      count(t.id)::int as "tenantCount",
      count(t.id) filter (where ${selectorCondition(select)})::int as selected,
      min(t.pinned_to) as "pinnedTo",
      coalesce(bool_or(t.status = 'moving'), false) as moving
    from tenantctl_catalog.units u
    left join tenantctl_catalog.placements p on p.unit = u.id and p.until is null
    left join tenantctl_catalog.tenants t on t.id = p.tenant and t.status not in ('deleted')
      and (u.tier = 'pool' or t.status <> 'provisioning')
    group by u.id
    having ${select.length === 0 ? raw("u.tier = 'pool' or count(t.id) > 0") : sql`count(t.id) filter (where ${selectorCondition(select)}) > 0`}
    order by u.id`);
}

/** Does a tenant still live in this unit? */
export async function hasTenant(connection: Connection, unit: string): Promise<boolean> {
  const row = await connection.row(sql`
    select from tenantctl_catalog.placements p join tenantctl_catalog.tenants t on t.id = p.tenant
     where p.unit = ${unit} and p.until is null and t.status <> 'deleted'`);
  return row !== undefined;
}
