import type { Tier } from '../../core/tier.js';
import { NO_LIMITS } from '../../core/settings.js';
import type { MigrationUnit } from '../../core/unit.js';
import type { Fleet } from '../../engine/context.js';
import { together } from '../../engine/isolation/coverage.js';
import { type Looked, probeDatabases, probeSchemas } from '../../engine/isolation/probe-homes.js';
import { type SeedTenant, probePool } from '../../engine/isolation/probe-pool.js';
import { driverOf } from '../../engine/tiers/registry.js';
import { sql } from '../../pg/sql.js';
import { type Seed, readSeed, runSeed } from '../seed.js';

/** A database of the fleet, and the units that are in it. */
export interface ProbeContext {
  fleet: Fleet;
  cluster: string;
  database: string;
  units: readonly MigrationUnit[];
}

/**
 * Tries to cross from one tenant to another everywhere in one database. Whatever it writes is rolled back.
 * @throws connection error (exit 4) when the database cannot be reached · configuration error (exit 3) for a seed that cannot be read
 */
export async function probeDatabase({ fleet, cluster, database, units }: ProbeContext): Promise<Looked> {
  const seed = seeding(await readSeed(fleet.settings.provision.seed));
  const looked: Looked[] = [];
  for (const { shared, schema, ledgerKey } of units)
    if (shared) looked.push(await probePool(fleet, { cluster, database, schema, ledgerKey }, seed));
  if (units.some(({ shared }) => !shared)) looked.push(await probeSchemas(fleet, cluster, database));
  return joined(looked);
}

/**
 * Reads which tenants' roles may enter the databases of others on one cluster.
 * @throws connection error (exit 4) when the cluster cannot be reached
 */
export async function probeCluster(fleet: Fleet, cluster: string): Promise<Looked> {
  const homes = await fleet.catalog((connection) =>
    connection.rows<{ tenant: string; tier: Tier; database: string; role: string }>(sql`
      select t.id as tenant, p.tier, p.database, p.role
        from tenantctl_catalog.placements p join tenantctl_catalog.tenants t on t.id = p.tenant
       where p.cluster = ${cluster} and p.until is null and t.status not in ('provisioning', 'deleted') order by 1`),
  );
  const own = homes.filter(({ tier }) => driverOf(tier).facts.drops === 'database');
  const roles = new Set(homes.map(({ role }) => role));
  roles.delete(fleet.settings.tenancy.appRole);
  return probeDatabases(fleet, cluster, own, [...roles]);
}

/** What several looks have found, as one. */
export function joined(looked: readonly Looked[]): Looked {
  return {
    findings: looked.flatMap(({ findings }) => findings),
    coverage: together(looked.map(({ coverage }) => coverage)),
  };
}

function seeding(seed: Seed | null): SeedTenant {
  return async (session, tenant) => {
    if (seed !== null) await runSeed(session, seed, { ...NOBODY, id: 'probe', key: tenant });
  };
}

const NOBODY = { plan: null, owner: null, labels: {}, limits: NO_LIMITS };
