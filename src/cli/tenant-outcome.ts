import type { Tenant } from '../core/tenant.js';
import { tenantText } from '../render/tenant-text.js';
import type { Outcome } from './command.js';

/** The outcome of a command that changes one tenant, where it was not so already. */
export function tenantOutcome(
  data: { tenant: Tenant; changed?: boolean },
  done: string,
  dryRun: boolean,
): Outcome {
  const { tenant, changed = true } = data;
  return {
    data,
    text: (colors) => {
      const ok = `${colors.green('ok')} ${tenant.id}`;
      const headline = !changed
        ? `${ok} is so already; nothing was changed`
        : dryRun
          ? `${tenant.id} would be ${done}; nothing was changed`
          : `${ok} ${done}`;
      return `${headline}\n\n${tenantText(tenant)}`;
    },
  };
}
