import pLimit from 'p-limit';
import { EXIT, isTenantctlError } from '../../../core/errors.js';
import type { Fleet } from '../../../engine/context.js';
import { isDatabaseError } from '../../../pg/errors.js';
import { faultOf } from '../../fault.js';
import { isSilent } from '../../not-reached.js';
import { stopIfAsked } from '../../stopping.js';
import { type Contents, lookInto } from './database.js';
import { readDatabases } from './databases.js';
import type { DiscoveryProblem, Found } from './found.js';
import { type Look, type Patterns, looksAt } from './look.js';

/** Databases of one cluster that are looked into side by side. */
const DATABASES_AT_ONCE = 8;

export interface ClusterContents {
  found: Found[];
  /** What the user's query lists; null where no database of the cluster has its table. */
  queried: Found[] | null;
  problems: DiscoveryProblem[];
}

/**
 * What one cluster holds that is not under management. A database that cannot be looked into is a problem and leaves the
 * others whole.
 * @throws connection error (exit 4) when the cluster does not answer · usage error `DISCOVER_SQL` (exit 2)
 */
export async function lookAtCluster(
  fleet: Fleet,
  name: string,
  patterns: Patterns,
  query: string | null,
): Promise<ClusterContents> {
  const cluster = fleet.cluster(name);
  const connections = fleet.connections(name);
  const { maintenanceDatabase } = connections;
  const databases = await connections.use(maintenanceDatabase, (session) =>
    readDatabases(session, patterns.databases),
  );
  const lanes = pLimit(DATABASES_AT_ONCE);
  const looks = looksAt(cluster, databases, patterns, maintenanceDatabase);
  const silence: { reason?: unknown } = {};
  const contents = await Promise.all(
    looks.map((look) =>
      lanes(async () => {
        stopIfAsked(fleet);
        // Nobody answers any more: the other databases need not be asked, each for ten seconds.
        if (silence.reason !== undefined) throw silence.reason;
        return watched(fleet, name, look, silence, () =>
          connections.use(look.database, (session) => lookInto(fleet, session, cluster, look, query)),
        );
      }),
    ),
  );
  const queried = contents.flatMap((one) => one.queried ?? []);
  return {
    found: contents.flatMap(({ found }) => found),
    queried: contents.some((one) => one.queried !== null) ? queried : null,
    problems: contents.flatMap(({ database, problems }) =>
      problems.map((message) => ({ cluster: name, database, message })),
    ),
  };
}

/** Tells how the look goes; what fails in one database is a problem of that one. */
async function watched(
  fleet: Fleet,
  cluster: string,
  { database }: Look,
  silence: { reason?: unknown },
  work: () => Promise<Contents>,
): Promise<Contents & { database: string }> {
  const began = performance.now();
  const unit = `${cluster}/${database}`;
  fleet.emit({ type: 'unit.started', unit, tier: 'database', wave: null });
  try {
    return { database, ...(await work()) };
  } catch (error) {
    stopIfAsked(fleet);
    if (isSilent(error)) silence.reason ??= error;
    if (isSilent(error) || isUsage(error) || !isExpected(error)) throw error;
    return { database, found: [], queried: null, problems: [faultOf(error).message] };
  } finally {
    const ms = Math.round(performance.now() - began);
    fleet.emit({ type: 'unit.finished', unit, outcome: 'unchanged', ms, fault: null });
  }
}

const isExpected = (error: unknown): boolean => isDatabaseError(error) || isTenantctlError(error);

const isUsage = (error: unknown): boolean => isTenantctlError(error) && error.exit === EXIT.usage;
