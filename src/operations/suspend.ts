import type { Tenant } from '../core/tenant.js';
import type { Fleet } from '../engine/context.js';
import { changeAdmission } from './admission.js';

/**
 * Refuses a tenant's readers and writers until it is activated again; nothing of it is removed. Again: no change.
 * @throws conflict (exit 5) when the tenant is unknown, half made, moving or gone
 */
export function suspendTenant(
  fleet: Fleet,
  id: string,
  options: { dryRun: boolean },
): Promise<{ tenant: Tenant }> {
  return changeAdmission(
    fleet,
    id,
    { action: 'tenant.suspend', from: 'active', to: 'suspended', hook: 'afterSuspend' },
    options,
  );
}
