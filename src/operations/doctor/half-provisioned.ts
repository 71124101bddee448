import type { Fleet } from '../../engine/context.js';
import { raw } from '../../pg/sql.js';
import type { DoctorFinding } from './rule.js';

interface HalfMade {
  tenant: string;
  tier: string;
  plan: string | null;
  since: string;
  restored: boolean;
}

/** Tenants that were begun and are not ready, at which nobody is at work. */
export async function halfProvisioned(fleet: Fleet): Promise<DoctorFinding[]> {
  const found = await fleet.catalog((catalog) =>
    catalog.rows<HalfMade>(
      raw(`
      select t.id as tenant, p.tier, t.plan, to_char(t.created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as since,
             t.restored_from is not null as restored
        from tenantctl_catalog.tenants t join tenantctl_catalog.placements p on p.tenant = t.id and p.until is null
       where t.status = 'provisioning' order by t.id`),
    ),
  );
  return found.map(finding);
}

function finding({ tenant, tier, plan, since, restored }: HalfMade): DoctorFinding {
  const how = plan === null ? `--tier ${tier}` : `--plan ${plan}`;
  return {
    rule: 'half-provisioned',
    level: 'warning',
    where: `tenant ${tenant}`,
    message: `it was begun at ${since}, is not ready, and nobody is at work on it`,
    hint: restored
      ? `\`tenantctl restore <folder> --as ${tenant}\` finishes it.`
      : `\`tenantctl provision ${tenant} ${how}\` finishes it.`,
    facts: { tenant, tier },
  };
}
