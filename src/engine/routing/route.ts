import { conflictError } from '../../core/errors.js';
import type { ClusterSettings, TenancySettings } from '../../core/settings.js';
import type { TenantStatus } from '../../core/tenant.js';
import type { Tier } from '../../core/tier.js';
import type { Home } from '../local/placements.js';
import { sessionSettings } from '../local/session-settings.js';

/** What an application needs to reach a tenant, beside its own user and password. */
export interface Route {
  tenant: string;
  key: string;
  /** Grows at each move: a route with an older epoch is stale. */
  epoch: number;
  tier: Tier;
  host: string;
  port: number;
  database: string;
  schema: string;
  /** The role to assume with SET LOCAL ROLE. */
  role: string;
  /** Further settings of a session, to be set with SET LOCAL or set_config(…, true). */
  settings: Record<string, string>;
}

/** @throws conflict `TENANT_NOT_SERVED` (exit 5) naming the state: nobody is sent to a closed home */
export function routeTo(
  cluster: ClusterSettings,
  home: Home,
  status: TenantStatus,
  tenancy: TenancySettings,
): Route {
  const { id, key } = home.tenant;
  if (status !== 'active' && status !== 'moving') throw notServed(id, status);
  const { tier, database, schema, role } = home.placement;
  const settings = sessionSettings(home, tenancy);
  return { tenant: id, key, epoch: home.epoch, tier, ...cluster.app, database, schema, role, settings };
}

function notServed(tenant: string, status: TenantStatus) {
  const hints: Partial<Record<TenantStatus, string>> = {
    provisioning: `\`tenantctl provision ${tenant}\` finishes it, or \`tenantctl restore <folder> --as ${tenant}\` one that comes from an export.`,
    suspended: `\`tenantctl activate ${tenant}\` opens it again.`,
  };
  return conflictError('TENANT_NOT_SERVED', `Tenant ${tenant} is ${status}; there is no route to it.`, {
    hint: hints[status] ?? 'Its id is never used again.',
    facts: { tenant, status },
  });
}
