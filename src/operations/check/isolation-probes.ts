import { NO_LIMITS } from '../../core/settings.js';
import type { MigrationUnit } from '../../core/unit.js';
import type { Fleet } from '../../engine/context.js';
import { objectCoverage, together } from '../../engine/isolation/coverage.js';
import { type Looked, probeSchemas } from '../../engine/isolation/probe-homes.js';
import { type SeedTenant, probePool } from '../../engine/isolation/probe-pool.js';
import { readTablesElsewhere } from '../../engine/isolation/tables.js';
import { ident, sql } from '../../pg/sql.js';
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
  if (units.some(({ shared }) => !shared)) {
    looked.push(await probeSchemas(fleet, cluster, database));
    looked.push(await lookForRoles(fleet, cluster, database));
  }
  if (units.some(({ shared }) => shared)) looked.push(await lookElsewhere(fleet, cluster, database, units));
  return joined(looked);
}

/** Tenants whose role nobody can assume: none of their crossings is tried, so they are not covered. */
async function lookForRoles(fleet: Fleet, cluster: string, database: string): Promise<Looked> {
  const rows = await fleet.connections(cluster).use(database, (session) =>
    session.rows<{ tenant: string; schema: string; role: string; there: boolean; administrator: string }>(sql`
      select p.tenant, p.schema, p.role, r.oid is not null as there, session_user::text as administrator
        from tenantctl.placement p left join pg_roles r on r.rolname = p.role
       where p.role <> ${fleet.settings.tenancy.appRole} and p.state in ('active', 'moving')
         and (r.oid is null or not pg_has_role(r.oid, 'MEMBER')) order by 1, 2`),
  );
  const gaps = rows.map(({ tenant, schema, role, there, administrator }) => ({
    where: `${cluster}/${database}.${schema}`,
    reason: there
      ? `the administrator may not assume role ${role} of tenant ${tenant}: GRANT ${ident(role).text()} TO ${ident(administrator).text()}`
      : `role ${role} of tenant ${tenant} is not there: \`tenantctl doctor\` tells more`,
  }));
  return { findings: [], coverage: objectCoverage(gaps.length, 0, gaps) };
}

/** Tables of tenants outside of all homes, in which no row is made: they are not covered. */
async function lookElsewhere(
  fleet: Fleet,
  cluster: string,
  database: string,
  units: readonly MigrationUnit[],
): Promise<Looked> {
  const { tenancy } = fleet.settings;
  const schemas = units.map(({ schema }) => schema);
  const tables = await fleet
    .connections(cluster)
    .use(database, (session) => readTablesElsewhere(session, tenancy, schemas));
  const gaps = tables.map((table) => ({
    where: `${cluster}/${database}.${table}`,
    reason: 'it is in no schema of the fleet: only whether its row-level security is on was read',
  }));
  return { findings: [], coverage: objectCoverage(gaps.length, 0, gaps) };
}

/** What several looks have found, as one. */
function joined(looked: readonly Looked[]): Looked {
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
