import pLimit from 'p-limit';
import type { Fleet } from '../../engine/context.js';
import { hasLocalState } from '../../engine/local/placements.js';
import type { Connection } from '../../pg/connection.js';
import { raw, sql } from '../../pg/sql.js';
import { isDatabaseError } from '../../pg/errors.js';
import { isThere } from '../is-there.js';
import { isSilent } from '../not-reached.js';
import { stopIfAsked } from '../stopping.js';
import type { Tally } from '../tally.js';
import { appEndpoint } from './app-endpoint.js';
import { bareCasts } from './bare-casts.js';
import { clocks } from './clocks.js';
import { deletedDatabaseIsBack, deletedTenantIsBack } from './deleted-tenant-is-back.js';
import { halfMadeDatabases } from './half-made-databases.js';
import { holdsDiffer } from './holds-differ.js';
import { homesAgree } from './homes.js';
import { idleSessions } from './idle-sessions.js';
import { localStateVersion } from './local-state.js';
import { lockTable } from './lock-table.js';
import { missingDatabases } from './missing-homes.js';
import { moveLeftovers } from './move-leftovers.js';
import { notInspected } from './not-inspected.js';
import { orphanDatabases } from './orphan-databases.js';
import { orphanRoles } from './orphan-roles.js';
import { orphanSchemas } from './orphan-schemas.js';
import { isPooledRefusal, pooledFinding, pooledProof } from './pooled.js';
import { replicationSlots } from './replication-slots.js';
import type { ClusterRule, DatabaseContext, DatabaseRule, DoctorFinding } from './rule.js';
import { serverLimits } from './server-limits.js';
import { settled } from './settled.js';
import { shutHomes } from './shut-homes.js';
import { staleClaims } from './stale-claims.js';
import { strandedHomes } from './stranded-homes.js';
import { ledgersAgree } from './versions.js';

const CLUSTER_RULES: readonly ClusterRule[] = [
  pooledProof,
  (context) => appEndpoint(context),
  clocks,
  serverLimits,
  deletedDatabaseIsBack,
  missingDatabases,
  orphanDatabases,
  halfMadeDatabases,
  orphanRoles,
  replicationSlots,
  (context) => idleSessions(context),
];

/** Where the catalog has never placed anybody there may be another fleet, whose state is none of ours. */
const EVERYWHERE: readonly DatabaseRule[] = [deletedTenantIsBack];

const IN_OUR_DATABASES: readonly DatabaseRule[] = [
  localStateVersion,
  holdsDiffer,
  strandedHomes,
  shutHomes,
  homesAgree,
  ledgersAgree,
  staleClaims,
  orphanSchemas,
  moveLeftovers,
  bareCasts,
  lockTable,
];

/** Databases of one cluster that are looked at side by side. */
const DATABASES_AT_ONCE = 4;

/** Everything that is found on one cluster; what cannot be looked into is a finding. */
export async function inspectCluster(fleet: Fleet, cluster: string, tally: Tally): Promise<DoctorFinding[]> {
  stopIfAsked(fleet);
  const connections = fleet.connections(cluster);
  try {
    const ours = await fleet.catalog((catalog) => ownDatabases(fleet, catalog, cluster));
    const { databases, findings } = await connections.use(
      connections.maintenanceDatabase,
      async (session) => {
        const names = await readDatabases(session);
        const context = { fleet, cluster, session, ours: true, databases: names.map(({ name }) => name) };
        return { databases: names, findings: await inTurn(cluster, CLUSTER_RULES, context) };
      },
    );
    const lanes = pLimit(DATABASES_AT_ONCE);
    const looked = databases.filter(({ name, open }) => open || ours.has(name));
    tally.databases += looked.length;
    const inside = await Promise.all(
      looked.map(({ name }) => lanes(() => inspectDatabase(fleet, cluster, name, ours.has(name), tally))),
    );
    return [...findings, ...inside.flat()];
  } catch (error) {
    stopIfAsked(fleet);
    return [isPooledRefusal(error) ? pooledFinding(cluster) : notInspected(cluster, error)];
  }
}

async function inspectDatabase(
  fleet: Fleet,
  cluster: string,
  database: string,
  ours: boolean,
  tally: Tally,
): Promise<DoctorFinding[]> {
  stopIfAsked(fleet);
  try {
    const findings = await lookTwice(fleet, cluster, database, ours);
    tally.looked += 1;
    return findings;
  } catch (error) {
    stopIfAsked(fleet);
    // What the catalog misses another rule tells.
    if (!isSilent(error) && (!ours || !(await isThere(fleet, cluster, database)))) return [];
    return ours ? [notInspected(`${cluster}/${database}`, error)] : [];
  }
}

/** Whoever drops a database ends the sessions in it first: the second try waits until it is gone. */
async function lookTwice(
  fleet: Fleet,
  cluster: string,
  database: string,
  ours: boolean,
): Promise<DoctorFinding[]> {
  try {
    return await lookInto(fleet, cluster, database, ours);
  } catch (error) {
    // Where nobody answers, a second try would take as long.
    if (isSilent(error)) throw error;
    return lookInto(fleet, cluster, database, ours);
  }
}

function lookInto(fleet: Fleet, cluster: string, database: string, ours: boolean): Promise<DoctorFinding[]> {
  return fleet.connections(cluster).use(database, async (session) => {
    // Not ours, or not yet: nothing is installed by looking.
    if (!(await hasLocalState(session))) return [];
    const rules = ours ? [...EVERYWHERE, ...IN_OUR_DATABASES] : EVERYWHERE;
    return inTurn(`${cluster}/${database}`, rules, { fleet, cluster, session, ours });
  });
}

/** Databases in which the catalog places somebody, or has placed somebody, and those that the configuration names. */
async function ownDatabases(fleet: Fleet, catalog: Connection, cluster: string): Promise<Set<string>> {
  const rows = await catalog.rows<{ name: string }>(sql`
    select database as name from tenantctl_catalog.placements where cluster = ${cluster}
    union select database from tenantctl_catalog.pools where cluster = ${cluster}`);
  const { pools, schemaDatabase } = fleet.cluster(cluster);
  const configured = [...Object.values(pools).map(({ database }) => database), schemaDatabase];
  return new Set([...rows.map(({ name }) => name), ...configured]);
}

/** One rule after the other. What one of them is refused says nothing of the others; a connection that is lost is lost for all. */
async function inTurn<Context extends DatabaseContext>(
  where: string,
  rules: readonly ((context: Context) => Promise<DoctorFinding[]>)[],
  context: Context,
): Promise<DoctorFinding[]> {
  const findings: DoctorFinding[] = [];
  for (const rule of rules) {
    stopIfAsked(context.fleet);
    const look = () => settled(context.fleet, () => rule(context));
    try {
      findings.push(...(await look()));
    } catch (error) {
      if (!isRefusal(context, error)) throw error;
      // What is dropped while it is looked at is gone at the second try.
      findings.push(...(await secondTry(where, context, look)));
    }
  }
  return findings;
}

async function secondTry(
  where: string,
  context: DatabaseContext,
  look: () => Promise<DoctorFinding[]>,
): Promise<DoctorFinding[]> {
  try {
    return await look();
  } catch (error) {
    if (!isRefusal(context, error)) throw error;
    return [notInspected(where, error)];
  }
}

const isRefusal = ({ session }: DatabaseContext, error: unknown): boolean =>
  isDatabaseError(error) && session.usable;

/** Databases without the templates; `open` where the administrator may look into them. */
async function readDatabases(session: Connection): Promise<{ name: string; open: boolean }[]> {
  return session.rows(
    raw(`
    select datname::text as name, datallowconn and has_database_privilege(oid, 'CONNECT') as open
      from pg_database where not datistemplate order by 1`),
  );
}
