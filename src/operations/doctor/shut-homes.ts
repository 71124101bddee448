import { isHeld } from '../../pg/locks.js';
import { sql } from '../../pg/sql.js';
import { type DatabaseContext, type DoctorFinding, placeName } from './rule.js';

interface Admitted {
  tenant: string;
  state: string;
}

/**
 * Homes that refuse a tenant whom the catalog calls active, or serve one whom it calls suspended, and at which nobody is
 * at work: a process died between the two, as while rows were replaced.
 */
export async function shutHomes(context: DatabaseContext): Promise<DoctorFinding[]> {
  const { fleet, cluster, session } = context;
  const homes = await session.rows<Admitted>(
    sql`select tenant, state from tenantctl.placement where state in ('active', 'suspended') order by tenant`,
  );
  if (homes.length === 0) return [];
  return fleet.catalog(async (catalog) => {
    const states = new Map(homes.map(({ tenant, state }) => [tenant, state]));
    const known = await catalog.rows<{ tenant: string; status: string }>(sql`
      select t.id as tenant, t.status from tenantctl_catalog.tenants t
        join tenantctl_catalog.placements p on p.tenant = t.id and p.until is null
       where p.cluster = ${cluster} and p.database = ${session.database} and t.status in ('active', 'suspended')
       order by 1`);
    const findings: DoctorFinding[] = [];
    for (const { tenant, status } of known) {
      const state = states.get(tenant);
      if (state === undefined || state === status || (await isHeld(catalog, 'tenant', tenant))) continue;
      findings.push(finding(context, tenant, state, status));
    }
    return findings;
  });
}

function finding(context: DatabaseContext, tenant: string, state: string, status: string): DoctorFinding {
  const verb = status === 'active' ? 'activate' : 'suspend';
  return {
    rule: 'admission-differs',
    level: 'error',
    where: `${placeName(context)}, tenant ${tenant}`,
    message: `the catalog says that tenant ${tenant} is ${status}, and its home that it is ${state}; nobody is at work on it`,
    hint: `\`tenantctl ${verb} ${tenant}\` makes the home ${status}. If a \`tenantctl restore --into ${tenant} --replace\` was cut off, the same command again ends it.`,
    facts: { tenant, state, status },
  };
}
