import type { Tenant } from '../core/tenant.js';
import type { Fleet } from '../engine/context.js';
import { runHook } from '../engine/hooks/run-hook.js';

/**
 * Runs the commands that let others follow a tenant's way; each gets the tenant as JSON. What has happened has
 * happened whatever they do, so that a failure is said aloud and stops nothing.
 */
export async function runLifecycleHooks(
  fleet: Fleet,
  name: 'afterSuspend' | 'afterDelete',
  tenant: Tenant,
): Promise<void> {
  const { hooks } = fleet.settings;
  for (const command of hooks[name]) {
    const failure = await runHook(command, { ...tenant, hook: name }, hooks);
    if (failure === null) continue;
    fleet.emit({
      type: 'notice',
      level: 'warning',
      code: 'HOOK_FAILED',
      message: `hook ${name}: ${failure}`,
    });
  }
}
