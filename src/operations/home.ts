import type { FleetSettings } from '../core/settings.js';
import type { Tenant } from '../core/tenant.js';
import type { TenantRecord } from '../engine/catalog/tenants.js';
import type { Home } from '../engine/local/placements.js';
import { limitsOf } from './provision-plan.js';

/** A stored tenant as the tier drivers take it, with the limits of its plan as they are configured now. */
export function homeOf({ settings }: { settings: FleetSettings }, record: TenantRecord): Home {
  const { id, key, plan, owner, labels, tier, cluster, database, schema, pool, role, epoch } = record;
  return {
    tenant: { id, key, plan, owner, labels, limits: limitsOf(settings, plan) },
    placement: { tier, cluster, database, schema, pool, role },
    epoch,
  };
}

/** A stored tenant as commands show it. */
export function toTenant(record: TenantRecord): Tenant {
  const { role: _role, unit: _unit, pinnedTo: _pinnedTo, restoredFrom: _restored, ...tenant } = record;
  return tenant;
}
