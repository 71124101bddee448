import type { Tenant } from '../core/tenant.js';
import type { Fleet } from '../engine/context.js';
import { changeAdmission } from './admission.js';

/**
 * Serves a suspended tenant again. Again: no change.
 * @throws conflict (exit 5) when the tenant is unknown, half made, moving or gone
 */
export function activateTenant(
  fleet: Fleet,
  id: string,
  options: { dryRun: boolean },
): Promise<{ tenant: Tenant }> {
  return changeAdmission(
    fleet,
    id,
    { action: 'tenant.activate', from: 'suspended', to: 'active', hook: null },
    options,
  );
}
