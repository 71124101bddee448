import { conflictError, refusedError } from '../../core/errors.js';
import type { UninstallReport } from '../../core/uninstall.js';
import { auditInsert } from '../../engine/catalog/audit.js';
import type { Fleet } from '../../engine/context.js';
import { CATALOG, LOCAL_STATE, installedVersion } from '../../engine/ledger/own-schema.js';
import type { Connection } from '../../pg/connection.js';
import { NO_SUCH_DATABASE, sqlstateOf } from '../../pg/errors.js';
import { tryWithLock } from '../../pg/locks.js';
import { raw } from '../../pg/sql.js';
import { unfinishedWork } from './blockers.js';
import { clearTables, dropOwnSchemas } from './clear.js';
import { clearCluster, lookOn, marksOf } from './cluster.js';
import { type InDatabase, lookInto } from './database.js';
import { lostWith } from './lost.js';
import { placesOf } from './places.js';
import { type Part, together } from './part.js';
import { catalogIn } from './traces.js';

/**
 * Removes what this tool has put into the fleet, and nothing of the application: databases first, then what belongs to clusters, the
 * catalog last, so that the same call again finishes what a crash has left. No data of tenants is touched, and no table that was held
 * to its tenants is opened.
 * @returns what was removed and what stays; with `dryRun` what would be, with the reasons for which it would be refused
 * @throws refusal `UNINSTALL_BLOCKED` (exit 6) naming all that is not at an end; connection error (exit 4) while a
 *   database of the fleet cannot be reached. Nothing was changed then.
 */
export async function uninstall(fleet: Fleet, options: { dryRun: boolean }): Promise<UninstallReport> {
  if (!(await isInstalled(fleet))) return { removed: [], kept: [], lost: [], blockers: [] };
  if (options.dryRun) return fleet.catalogHeld((catalog) => look(fleet, catalog));
  return fleet.catalogHeld(async (catalog) => {
    const done = await tryWithLock(catalog, 'cluster', 'run', async () => {
      const report = await look(fleet, catalog);
      refuseBlocked(report);
      await clear(fleet, catalog);
      return report;
    });
    if (done !== undefined) return done.value;
    throw conflictError('RUN_IN_PROGRESS', 'Another process drives a run on this fleet, or removes it.', {
      hint: 'Nothing was changed. Repeat this when it has ended.',
    });
  });
}

/** Without a catalog there is nothing that could be known of the fleet: the last step was done before. */
async function isInstalled(fleet: Fleet): Promise<boolean> {
  try {
    return (await fleet.catalog((catalog) => installedVersion(catalog, CATALOG))) > 0;
  } catch (error) {
    if (sqlstateOf((error as Error).cause) === NO_SUCH_DATABASE) return false;
    throw error;
  }
}

async function look(fleet: Fleet, catalog: Connection): Promise<UninstallReport> {
  const work = await workIn(fleet, catalog);
  const parts: Part[] = [];
  for (const place of work.databases) parts.push(await lookInto(place));
  for (const cluster of work.clusters) parts.push(await lookOn(fleet, cluster, work.marks));
  const { removed, kept, blockers } = together(parts);
  const where = `catalog/${fleet.catalogDatabase}`;
  return {
    removed: [
      ...removed,
      { kind: 'schema', name: CATALOG.schema, where },
      { kind: 'schema', name: LOCAL_STATE.schema, where },
    ],
    kept: [
      ...kept,
      {
        kind: 'database',
        name: fleet.catalogDatabase,
        where,
        reason: 'drop it yourself if nothing else is in it',
      },
    ],
    lost: await lostWith(catalog),
    blockers: [...(await unfinishedWork(catalog)), ...blockers],
  };
}

interface Work {
  databases: InDatabase[];
  clusters: string[];
  marks: Awaited<ReturnType<typeof marksOf>>;
}

/** Where there may be something of ours. */
async function workIn(fleet: Fleet, catalog: Connection): Promise<Work> {
  const fleetId = (await catalogIn(catalog)) ?? '';
  const rows = await catalog.rows<{ id: string }>(raw('select id from tenantctl_catalog.tenants'));
  const tenants = new Set(rows.map(({ id }) => id));
  const places = await placesOf(fleet, catalog);
  return {
    databases: [...places].flatMap(([cluster, databases]) =>
      databases.map((database) => ({ fleet, cluster, database, fleetId, tenants })),
    ),
    clusters: [...places.keys()],
    marks: await marksOf(catalog, fleetId),
  };
}

function refuseBlocked({ blockers }: UninstallReport): void {
  if (blockers.length === 0) return;
  throw refusedError(
    'UNINSTALL_BLOCKED',
    ['Nothing was removed, because:', ...blockers.map((line) => `  ${line}`)].join('\n'),
    {
      hint: 'Bring these to their end and run the same command again; --dry-run shows the whole list.',
      facts: { blockers },
    },
  );
}

async function clear(fleet: Fleet, catalog: Connection): Promise<void> {
  const { databases, clusters, marks } = await workIn(fleet, catalog);
  await catalog.atomically([auditInsert(fleet.actor, { action: 'fleet.uninstall', phase: 'intent' })]);
  fleet.reach('uninstall.recorded');
  for (const place of databases) await clearDatabase(place);
  for (const cluster of clusters) {
    await clearCluster(fleet, cluster, marks);
    fleet.reach('uninstall.cluster-cleared');
  }
  await dropOwnSchemas(catalog, [CATALOG, LOCAL_STATE]);
}

/** The database of the catalog keeps its schema until the end: what is left to do is written there. */
async function clearDatabase(place: InDatabase): Promise<void> {
  const { fleet, cluster, database, fleetId } = place;
  if ((await lookInto(place)).removed.length === 0) return;
  const connections = fleet.connections(cluster);
  await connections.use(database, async (session) => {
    await clearTables(session, fleet.settings.tenancy);
    fleet.reach('uninstall.tables-cleared');
    if ((await catalogIn(session)) !== fleetId) await dropOwnSchemas(session, [LOCAL_STATE]);
  });
  await connections.leave(database);
  fleet.reach('uninstall.database-cleared');
}
