import { isTenantctlError, refusedError } from '../../core/errors.js';
import { knownDatabases } from '../../engine/catalog/places.js';
import type { Fleet } from '../../engine/context.js';
import { type DatabaseScan, databasesOf, scanDatabase } from '../../engine/retention/rescan.js';
import type { Departure } from './departure.js';
import type { Survey } from './survey.js';
import type { Look } from './evidence.js';

/** What one look over whole clusters has seen of several tenants. */
export interface FleetLook {
  at: string;
  scans: (DatabaseScan & { cluster: string })[];
  /** Databases that could not be looked into. */
  shut: string[];
}

/** Looks over every database of every cluster on which one of these tenants lives or has lived. */
export async function lookOver(
  fleet: Fleet,
  departures: readonly Departure[],
  at: string,
): Promise<FleetLook> {
  const { column, columnType } = fleet.settings.tenancy;
  const look: FleetLook = { at, scans: [], shut: [] };
  const keys = departures.map(({ home }) => home.tenant.key);
  const homes = departures.map(({ home: { placement } }) => placement);
  for (const cluster of clustersOf(departures)) {
    const livesThere = homes.some((home) => home.cluster === cluster);
    const { open, shut } = await tolerant(livesThere, look, `cluster ${cluster}`, NOTHING, () =>
      listDatabases(fleet, cluster),
    );
    look.shut.push(...shut.map((database) => `database ${database} of cluster ${cluster}`));
    const ours = await databasesOfOurs(fleet, cluster, columnType, open);
    for (const database of open) {
      if (!ours.has(database)) {
        look.shut.push(
          `database ${database} of cluster ${cluster} (not this fleet's; the same key may be somebody else's there)`,
        );
        continue;
      }
      const isHome = homes.some((home) => home.cluster === cluster && home.database === database);
      const scan = await tolerant(isHome, look, `database ${database} of cluster ${cluster}`, null, () =>
        fleet
          .connections(cluster)
          .use(database, (session) => scanDatabase(session, column, columnType, keys)),
      );
      if (scan !== null) look.scans.push({ ...scan, cluster });
    }
  }
  return look;
}

/**
 * The databases in which a key of ours says whose a row is. A uuid says so anywhere; a number or a name may be another
 * product's, whose rows are none of our business.
 */
async function databasesOfOurs(
  fleet: Fleet,
  cluster: string,
  columnType: string,
  open: readonly string[],
): Promise<Set<string>> {
  if (columnType === 'uuid') return new Set(open);
  const { pools, schemaDatabase } = fleet.cluster(cluster);
  const known = await fleet.catalog((connection) => knownDatabases(connection, cluster));
  return new Set([...known, schemaDatabase, ...Object.values(pools).map(({ database }) => database)]);
}

const NOTHING = { open: [], shut: [] };

async function listDatabases(fleet: Fleet, cluster: string): Promise<{ open: string[]; shut: string[] }> {
  const connections = fleet.connections(cluster);
  return connections.use(connections.maintenanceDatabase, databasesOf);
}

/** What is not a home of theirs may be gone or out of reach: the look goes on, and says what it has not seen. */
async function tolerant<T>(
  needed: boolean,
  { shut }: FleetLook,
  what: string,
  otherwise: T,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (needed) throw error;
    shut.push(`${what} (${isTenantctlError(error) ? error.code : 'unreachable'})`);
    return otherwise;
  }
}

function clustersOf(departures: readonly Departure[]): string[] {
  const all = departures.flatMap(({ home, former }) => [
    home.placement.cluster,
    ...former.map(({ cluster }) => cluster),
  ]);
  return [...new Set(all)].toSorted();
}

/** The part of a look that is about one tenant. */
export function lookFor({ at, scans, shut }: FleetLook, { home, former }: Departure): Look {
  const clusters = new Set([home.placement.cluster, ...former.map(({ cluster }) => cluster)]);
  const ours = scans.filter(({ cluster }) => clusters.has(cluster));
  const tables: Record<string, number> = {};
  for (const scan of ours)
    for (const [role, n] of Object.entries(scan.tables)) tables[role] = (tables[role] ?? 0) + n;
  const notRead = ours.flatMap(({ cluster, database, notRead: names }) =>
    names.map((name) => `table ${name} of database ${database} of cluster ${cluster}`),
  );
  return {
    at,
    clusters: [...clusters].toSorted(),
    databases: ours.length,
    readers: Object.entries(tables).map(([role, n]) => ({ role, tables: n })),
    rows: rowsOf(ours, home.tenant.key).reduce((sum, { rows }) => sum + rows, 0),
    notRead: [...notRead, ...shut],
  };
}

interface Place {
  cluster: string;
  database: string;
  schema: string;
  table: string;
  rows: number;
}

/** Where rows with a tenant's key were seen. */
export function rowsOf(scans: FleetLook['scans'], key: string): Place[] {
  return scans.flatMap(({ cluster, database, found }) =>
    found
      .filter((rows) => rows.key === key)
      .map(({ schema, table, rows }) => ({ cluster, database, schema, table, rows })),
  );
}

/**
 * Before anything is deleted a look must see exactly what the plan counts: one that sees less would find nothing
 * afterwards either, and one that sees more has found rows that the plan would leave.
 * @throws refusal `TABLES_UNREADABLE`, `ROWS_ELSEWHERE` or `RESCAN_BLIND` (exit 6)
 */
export function assertSeen(look: FleetLook, { home }: Departure, { expected }: Survey): void {
  const { tenant, placement } = home;
  const unreadable = look.scans
    .filter(({ cluster, database }) => cluster === placement.cluster && database === placement.database)
    .flatMap(({ notRead }) => notRead);
  if (unreadable.length > 0) throw tablesUnreadable(tenant.id, placement.database, unreadable);
  const seen = new Map<string, number>();
  const elsewhere: Place[] = [];
  for (const place of rowsOf(look.scans, tenant.key)) {
    const here = place.cluster === placement.cluster && place.database === placement.database;
    const name = `${place.schema}.${place.table}`;
    if (here && expected.has(name)) seen.set(name, place.rows);
    else elsewhere.push(place);
  }
  if (elsewhere.length > 0) throw rowsElsewhere(tenant.id, elsewhere);
  const blind = [...expected].filter(([name, rows]) => (seen.get(name) ?? 0) !== rows);
  if (blind.length > 0) throw rescanBlind(tenant.id, blind, seen);
}

function tablesUnreadable(id: string, database: string, tables: readonly string[]) {
  return refusedError(
    'TABLES_UNREADABLE',
    `Nothing of tenant ${id} is deleted, because database ${database} has tables with a tenant column that this tool may not read whole: ${tables.slice(0, 5).join(', ')}.`,
    {
      hint: 'Whoever owns them: grant usage on their schema and select on them to the administrator; where row-level security hides rows, a policy for the administrator as well.',
      facts: { tenant: id, database, tables },
    },
  );
}

function rowsElsewhere(id: string, places: readonly Place[]) {
  const named = places.map(
    ({ cluster, database, schema, table, rows }) =>
      `${rows} rows in ${schema}.${table} of database ${database} on cluster ${cluster}`,
  );
  return refusedError(
    'ROWS_ELSEWHERE',
    `Nothing of tenant ${id} is deleted, because rows with its key are outside its home: ${named.slice(0, 5).join('; ')}.`,
    {
      hint: 'Delete them first, or bring the table into the home with a migration; then run the same command again.',
      facts: { tenant: id, places },
    },
  );
}

function rescanBlind(
  id: string,
  blind: readonly (readonly [string, number])[],
  seen: ReadonlyMap<string, number>,
) {
  const named = blind.map(
    ([name, rows]) => `${name}: ${rows} rows, of which the second role sees ${seen.get(name) ?? 0}`,
  );
  return refusedError(
    'RESCAN_BLIND',
    `Nothing of tenant ${id} is deleted, because nobody could prove it afterwards: ${named.slice(0, 5).join('; ')}.`,
    {
      hint: 'A restrictive policy hides rows from role tenantctl_rescan, or they changed meanwhile. Let the policy exempt that role, or run the same command again.',
      facts: { tenant: id, tables: blind.map(([name]) => name) },
    },
  );
}
