import { parseTenantId } from '../core/tenant.js';
import { requireTenant } from '../engine/catalog/tenants.js';
import type { Fleet } from '../engine/context.js';
import { type Route, routeTo } from '../engine/routing/route.js';
import { homeOf } from './home.js';

/**
 * Where a tenant lives and what a session for it sets; no secret in it.
 * @throws conflict `TENANT_UNKNOWN` (exit 5), and `TENANT_NOT_SERVED` when the tenant is not active
 */
export async function routeTenant(fleet: Fleet, id: string): Promise<Route> {
  parseTenantId(id);
  const record = await fleet.catalog((connection) => requireTenant(connection, id));
  const home = homeOf(fleet, record);
  return routeTo(fleet.cluster(record.cluster), home, record.status, fleet.settings.tenancy);
}
