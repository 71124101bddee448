import { hasLocalState } from '../../engine/local/placements.js';
import type { Connection } from '../../pg/connection.js';
import { sql } from '../../pg/sql.js';
import { readLocalHomes } from './home-rows.js';
import { idIn } from './named-like.js';
import type { ClusterContext, DoctorFinding } from './rule.js';

/** Databases that are named like a tenant's own, and of which the catalog has never heard. */
export async function orphanDatabases(context: ClusterContext): Promise<DoctorFinding[]> {
  const { fleet, cluster, databases } = context;
  const pattern = fleet.settings.tenancy.names.database;
  const named = databases.filter((name) => idIn(pattern, name) !== undefined);
  if (named.length === 0) return [];
  const known = await fleet.catalog((catalog) => knownDatabases(catalog, cluster));
  const { pools, schemaDatabase } = fleet.cluster(cluster);
  for (const { database } of Object.values(pools)) known.add(database);
  known.add(schemaDatabase).add(fleet.catalogDatabase);
  const findings: DoctorFinding[] = [];
  for (const database of named.filter((name) => !known.has(name))) {
    const inhabitant = await inhabitantOf(context, database);
    // A deleted tenant that is back is told of by its own rule.
    if (inhabitant?.deleted !== true) findings.push(finding(context, database, inhabitant));
  }
  return findings;
}

async function knownDatabases(catalog: Connection, cluster: string): Promise<Set<string>> {
  const rows = await catalog.rows<{ database: string }>(sql`
    select database from tenantctl_catalog.placements where cluster = ${cluster}
    union select database from tenantctl_catalog.pools where cluster = ${cluster}
    union select to_home ->> 'database' from tenantctl_catalog.moves where finished_at is null and to_home ->> 'cluster' = ${cluster}`);
  return new Set(rows.map(({ database }) => database));
}

interface Inhabitant {
  tenant: string;
  /** Does the catalog know a tenant of that key? Then this is a copy of its database. */
  knownAs: string | undefined;
  deleted: boolean;
}

/** Who lives there by its own account; undefined where nobody does, or where we may not look. */
async function inhabitantOf(
  { fleet, cluster }: ClusterContext,
  database: string,
): Promise<Inhabitant | undefined> {
  const [home] = await fleet
    .connections(cluster)
    .use(database, async (session) => ((await hasLocalState(session)) ? readLocalHomes(session) : []))
    .catch(() => []);
  if (home === undefined) return undefined;
  const known = await fleet.catalog((catalog) =>
    catalog.row<{ id: string; deleted: boolean }>(
      sql`select id, status = 'deleted' as deleted from tenantctl_catalog.tenants where key = ${home.key}`,
    ),
  );
  return { tenant: home.tenant, knownAs: known?.id, deleted: known?.deleted === true };
}

function finding(
  { fleet, cluster }: ClusterContext,
  database: string,
  inhabitant: Inhabitant | undefined,
): DoctorFinding {
  const id = idIn(fleet.settings.tenancy.names.database, database) as string;
  return {
    rule: 'orphan-database',
    level: 'warning',
    where: `${cluster}/${database}`,
    message: `it is named like the database of a tenant ${id}, and the catalog knows nothing of it; ${inhabitsText(inhabitant)}`,
    hint: hintOf(id, inhabitant),
    facts: { cluster, database, tenant: id, inhabitant: inhabitant?.tenant ?? null },
  };
}

function inhabitsText(inhabitant: Inhabitant | undefined): string {
  if (inhabitant === undefined) return 'it has no local state of a tenant';
  const { tenant, knownAs } = inhabitant;
  return knownAs === undefined
    ? `tenant ${tenant} lives there by its own account`
    : `it is a copy of tenant ${knownAs}, with its key`;
}

function hintOf(id: string, inhabitant: Inhabitant | undefined): string {
  if (inhabitant === undefined)
    return `This tool has not made it. A tenant ${id} cannot be provisioned in tier database while it is there.`;
  return inhabitant.knownAs === undefined
    ? "The catalog may be lost or an old copy: `tenantctl doctor --rebuild-catalog --dry-run` says what would be added. Otherwise it is another fleet's."
    : 'Somebody has restored or copied it. Nobody is routed there; drop it by hand when it is not needed any more.';
}
