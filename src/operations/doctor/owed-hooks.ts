import type { Fleet } from '../../engine/context.js';
import { raw } from '../../pg/sql.js';
import type { DoctorFinding } from './rule.js';

interface Owed {
  tenant: string;
  commands: string[];
  failure: string | null;
  restored: boolean;
}

/**
 * Tenants that are ready and whose hooks have not run: the process died in between, or a hook failed. The process that runs
 * them holds the tenant's lock, so such a tenant is left out.
 */
export async function owedHooks(fleet: Fleet): Promise<DoctorFinding[]> {
  const owed = await fleet.catalog((catalog) =>
    catalog.rows<Owed>(
      raw(`
      select t.id as tenant, array_agg(h.command order by h.ordinal) as commands,
             (array_agg(h.failure order by h.ordinal) filter (where h.failure is not null))[1] as failure, t.restored_from is not null as restored
        from tenantctl_catalog.hook_deliveries h join tenantctl_catalog.tenants t on t.id = h.tenant
       where h.delivered_at is null and t.status in ('active', 'suspended') group by t.id order by t.id`),
    ),
  );
  return owed.map(({ tenant, commands, failure, restored }) => ({
    rule: 'hook-owed',
    level: 'warning',
    where: `tenant ${tenant}`,
    message: `the tenant is ready, and ${commands.join(', ')} ${failure === null ? 'has not run' : `has failed: ${failure}`}`,
    hint: `\`tenantctl ${restored ? `restore <folder> --as ${tenant}` : `provision ${tenant}`}\` runs what is owed, and nothing else.`,
    facts: { tenant, commands, failure },
  }));
}
