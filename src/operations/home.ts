import type { PlanLimits } from '../core/settings.js';
import type { Tenant } from '../core/tenant.js';
import type { TenantRecord } from '../engine/catalog/tenants.js';
import type { Home } from '../engine/local/placements.js';

/** A stored tenant as the tier drivers take it. */
export function homeOf(record: TenantRecord, limits: PlanLimits): Home {
  const { id, key, plan, owner, labels, tier, cluster, database, schema, pool, role, epoch } = record;
  return {
    tenant: { id, key, plan, owner, labels, limits },
    placement: { tier, cluster, database, schema, pool, role },
    epoch,
  };
}

/** A stored tenant as commands show it. */
export function toTenant(record: TenantRecord): Tenant {
  const { role: _role, unit: _unit, pinnedTo: _pinnedTo, restoredFrom: _restored, ...tenant } = record;
  return tenant;
}
