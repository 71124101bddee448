import { requireTenant } from '../../engine/catalog/tenants.js';
import { driverOf } from '../../engine/tiers/registry.js';
import { isHeld } from '../../pg/locks.js';
import { sql } from '../../pg/sql.js';
import { homeOf } from '../home.js';
import { alone } from '../tenant-lock.js';
import { type DatabaseContext, type DoctorFinding, placeName } from './rule.js';

interface Admitted {
  tenant: string;
  state: string;
}

/**
 * Homes that refuse a tenant whom the catalog calls active, or serve one whom it calls suspended or leaving, and at which nobody is
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
       where p.cluster = ${cluster} and p.database = ${session.database} and (t.status in ('active', 'suspended')
          or exists (select from tenantctl_catalog.offboardings o where o.tenant = t.id and o.state = 'scheduled' and t.status = 'offboarding'))
       order by 1`);
    const findings: DoctorFinding[] = [];
    for (const { tenant, status } of known) {
      const state = states.get(tenant);
      const wanted = status === 'active' ? 'active' : 'suspended';
      if (state === undefined || state === wanted || (await isHeld(catalog, 'tenant', tenant))) continue;
      findings.push(finding(context, tenant, state, status));
    }
    return findings;
  });
}

function finding(context: DatabaseContext, tenant: string, state: string, status: string): DoctorFinding {
  const leaving = status === 'offboarding';
  const verb = status === 'active' ? 'activate' : 'suspend';
  return {
    rule: 'admission-differs',
    level: 'error',
    where: `${placeName(context)}, tenant ${tenant}`,
    message: `the catalog says that tenant ${tenant} is ${status}, and its home that it is ${state}; nobody is at work on it`,
    hint: leaving
      ? `\`tenantctl doctor --fix\` closes the home; \`tenantctl offboard ${tenant} --cancel\` brings the tenant back.`
      : `\`tenantctl ${verb} ${tenant}\` makes the home ${status}. If a \`tenantctl restore --into ${tenant} --replace\` was cut off, the same command again ends it.`,
    facts: { tenant, state, status },
    ...(leaving ? { mend: () => close(context, tenant) } : {}),
  };
}

/** A home that was exported and is to be deleted takes no more writes: those would be in no export. */
async function close({ fleet }: DatabaseContext, tenant: string): Promise<void> {
  await alone(fleet, tenant, async (catalog) => {
    const record = await requireTenant(catalog, tenant);
    if (record.status !== 'offboarding') return;
    const home = homeOf(fleet, record);
    await driverOf(record.tier).fence(fleet, home, 'offboarding');
  });
}
