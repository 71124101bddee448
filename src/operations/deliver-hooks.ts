import { partialError } from '../core/errors.js';
import { owedHooks, recordDelivery } from '../engine/catalog/deliveries.js';
import type { Fleet } from '../engine/context.js';
import { runHook } from '../engine/hooks/run-hook.js';
import type { Provisioned } from './provisioned.js';

/**
 * Runs the `afterProvision` hooks that a tenant is still owed. The tenant is active whatever they do.
 * @param again the command that was given
 * @throws partial error `HOOK_FAILED` (exit 7); the same call runs again only what has not succeeded
 */
export async function deliverHooks(
  fleet: Fleet,
  outcome: Provisioned,
  again = `tenantctl provision ${outcome.tenant.id}`,
): Promise<void> {
  const { afterProvision } = fleet.settings.hooks;
  if (afterProvision.length === 0) return;
  const { tenant } = outcome;
  const failures: string[] = [];
  for (const { ordinal } of await fleet.catalog((connection) =>
    owedHooks(connection, tenant.id, 'afterProvision'),
  )) {
    const command = afterProvision[ordinal - 1];
    const failure = command === undefined ? null : await runHook(command, tenant, fleet.settings.hooks);
    fleet.reach('provision.hooked');
    await fleet.catalog((connection) =>
      recordDelivery(connection, tenant.id, 'afterProvision', ordinal, failure),
    );
    if (failure !== null) failures.push(failure);
  }
  if (failures.length > 0) throw hookFailed(outcome, failures, again);
}

function hookFailed(outcome: Provisioned, failures: string[], again: string) {
  const { id } = outcome.tenant;
  return partialError(
    'HOOK_FAILED',
    [`Tenant ${id} is active, but a hook failed:`, ...failures.map((text) => `  ${text}`)].join('\n'),
    {
      hint: `Correct it and run \`${again}\` again: only what failed runs again.`,
      facts: { tenant: id, failures },
      data: outcome,
    },
  );
}
