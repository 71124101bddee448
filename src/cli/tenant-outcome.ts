import type { Tenant } from '../core/tenant.js';
import { tenantText } from '../render/tenant-text.js';
import type { Outcome } from './command.js';

/** The outcome of a command that changes one tenant. */
export function tenantOutcome(data: { tenant: Tenant }, done: string, dryRun: boolean): Outcome {
  const { tenant } = data;
  return {
    data,
    text: (colors) => {
      const headline = dryRun
        ? `${tenant.id} would be ${done}; nothing was changed`
        : `${colors.green('ok')} ${tenant.id} ${done}`;
      return `${headline}\n\n${tenantText(tenant)}`;
    },
  };
}
