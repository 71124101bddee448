import { conflictError } from '../../core/errors.js';
import { requireTenant } from '../../engine/catalog/tenants.js';
import { placementOf } from '../../engine/local/placements.js';
import { driverOf } from '../../engine/tiers/registry.js';
import { sql } from '../../pg/sql.js';
import { homeOf } from '../home.js';
import { alone } from '../tenant-lock.js';
import type { CatalogHome, LocalHome } from './home-rows.js';
import { type DatabaseContext, type DoctorFinding, placeName } from './rule.js';

/** Between the intent in the audit log and the change of the home lie moments, unless the log is an old copy. */
const OLD_COPY_AFTER_S = 60;

/** A home that has other labels, plan, owner or status of its tenant: from such a home the catalog would be rebuilt wrongly. */
export function describedOtherwise(
  context: DatabaseContext,
  wanted: CatalogHome,
  home: LocalHome,
): DoctorFinding[] {
  const { tenant, schema } = wanted;
  const what = (['plan', 'owner', 'labels'] as const).filter((part) => wanted[part] !== home[part]);
  // Another rule tells of a home that is open or shut against the catalog's word.
  const admits = home.state === (wanted.status === 'active' ? 'active' : 'suspended');
  const parts = [...what, ...(admits && home.status !== wanted.status ? ['status'] : [])];
  if (parts.length === 0) return [];
  const newer = (wanted.auditedAt ?? 0) + OLD_COPY_AFTER_S < home.changedAt;
  return [
    {
      rule: 'description-differs',
      level: 'warning',
      where: `${placeName(context)}.${schema}`,
      message: `the home of tenant ${tenant} differs from the catalog in ${parts.join(', ')}${newer ? ', and was changed after everything that the audit log tells of it' : ''}`,
      hint: newer
        ? `The catalog may be an old copy. \`tenantctl set ${tenant}\` with what is right writes both.`
        : '`tenantctl doctor --fix` writes to the home what the catalog says.',
      facts: { tenant, schema, parts },
      ...(newer ? {} : { mend: () => describe(context, tenant, home.changedAt) }),
    },
  ];
}

/** Under the tenant's lock, and only if nobody has changed the home since the look. */
async function describe(
  { fleet, cluster, session }: DatabaseContext,
  tenant: string,
  seen: number,
): Promise<void> {
  const { database } = session;
  await alone(fleet, tenant, async (catalog) => {
    const record = await requireTenant(catalog, tenant);
    const home = homeOf(fleet, record);
    if (home.placement.cluster !== cluster || home.placement.database !== database) return;
    const { status } = record;
    if (status !== 'active' && status !== 'suspended' && status !== 'offboarding') return;
    const state = status === 'active' ? 'active' : 'suspended';
    const written = await fleet.managed(cluster, database, (connection) =>
      connection.execute(sql`
        update tenantctl.placement set status = case state when ${state} then ${status} else status end
         where ${placementOf(home)} and extract(epoch from changed_at)::float8 = ${seen}::float8`),
    );
    if (written === 0) throw changedMeanwhile(tenant);
    await driverOf(record.tier).describe(fleet, home);
  });
}

function changedMeanwhile(tenant: string) {
  return conflictError('TENANT_CHANGED', `The home of tenant ${tenant} was changed meanwhile.`, {
    hint: 'Run `tenantctl doctor` again.',
    facts: { tenant },
  });
}
