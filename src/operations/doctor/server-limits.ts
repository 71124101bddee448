import { majorVersion } from '../../core/major-version.js';
import type { ClusterSettings } from '../../core/settings.js';
import type { Fleet } from '../../engine/context.js';
import type { Connection } from '../../pg/connection.js';
import { describeEndpoint } from '../../pg/endpoint.js';
import { raw } from '../../pg/sql.js';
import type { ClusterContext, DoctorFinding } from './rule.js';

const OLDEST = 15;
const NEWEST = 18;

/** The server's version, and whether it has the connections that this tool may take. */
export async function serverLimits({ fleet, cluster, session }: ClusterContext): Promise<DoctorFinding[]> {
  const limits = await readLimits(session);
  const together = clustersBeside(fleet, cluster);
  const budget = together.reduce((sum, { maxConnections }) => sum + maxConnections, 0);
  return [
    ...versionFindings(cluster, session.version),
    // Told once for a server, however many clusters the configuration makes of it.
    ...(together[0]?.name === cluster ? budgetFindings(cluster, { ...limits, budget }) : []),
  ];
}

/** The clusters that are on the same server, this one among them. */
function clustersBeside({ settings }: Fleet, cluster: string): ClusterSettings[] {
  const serverOf = ({ name, url, maxConnections, maxPerDatabase }: ClusterSettings): string | undefined =>
    describeEndpoint({ name, url, maxConnections, maxPerDatabase }).split('@').at(-1);
  const clusters = Object.values(settings.clusters);
  const ours = clusters.find(({ name }) => name === cluster);
  return clusters.filter((each) => ours !== undefined && serverOf(each) === serverOf(ours));
}

/** What a server's `server_version_num` means. */
export function versionFindings(cluster: string, version: number): DoctorFinding[] {
  const major = majorVersion(version);
  if (major >= OLDEST && major <= NEWEST) return [];
  return [
    {
      rule: 'server-version',
      level: major < OLDEST ? 'error' : 'info',
      where: cluster,
      message:
        major < OLDEST
          ? `it runs PostgreSQL ${major}; this tool relies on what ${OLDEST} and newer do`
          : `it runs PostgreSQL ${major}; this tool was tested up to ${NEWEST}`,
      hint: major < OLDEST ? `Upgrade it to PostgreSQL ${OLDEST} or newer.` : 'Look for a newer tenantctl.',
      facts: { version },
    },
  ];
}

export interface ConnectionLimits {
  /** What every role but a superuser may share. */
  available: number;
  /** Sessions that are not this tool's. */
  others: number;
  budget: number;
}

/** What a budget means on a server with so many connections, as many of them taken by others now. */
export function budgetFindings(
  cluster: string,
  { available, others, budget }: ConnectionLimits,
): DoctorFinding[] {
  if (budget <= available - others) return [];
  const facts = { maxConnections: budget, available, others };
  const never = budget > available;
  return [
    {
      rule: 'connection-budget',
      level: 'warning',
      where: cluster,
      message: never
        ? `clusters.${cluster}.maxConnections, with that of clusters on the same server, is ${budget}, and the server has ${available} connections for all: a run that uses its budget leaves applications none, and fails itself`
        : `clusters.${cluster}.maxConnections, with that of clusters on the same server, is ${budget}, and ${others} of the server's ${available} connections are taken by others now: a run that uses its budget fails, or keeps applications out`,
      hint: `Set clusters.${cluster}.maxConnections to ${Math.max(1, Math.floor((available - others) / 2))} or less, or raise max_connections of the server.`,
      facts,
    },
  ];
}

/** `reserved_connections` is there since 16. Sessions of others are seen without their particulars. */
async function readLimits(session: Connection): Promise<Omit<ConnectionLimits, 'budget'>> {
  const row = await session.row<Omit<ConnectionLimits, 'budget'>>(
    raw(`
    select current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
             - coalesce(current_setting('reserved_connections', true)::int, 0) as available,
           (select count(*)::int from pg_stat_activity
             where coalesce(backend_type, 'client backend') = 'client backend' and application_name not like 'tenantctl/%') as others`),
  );
  return row ?? { available: 0, others: 0 };
}
