import type { KeptItem, UninstallItem } from '../../core/uninstall.js';
import type { Fleet } from '../../engine/context.js';
import { sql } from '../../pg/sql.js';
import { NOTHING, type Part } from './part.js';
import { type MarkedTable, type Traces, readTraces } from './traces.js';

export interface InDatabase {
  fleet: Fleet;
  cluster: string;
  database: string;
  /** Our fleet, and the ids of all tenants that its catalog knows. */
  fleetId: string;
  tenants: ReadonlySet<string>;
}

/** What would go from one database, and what would stay; one that is not there any more has nothing. */
export async function lookInto(place: InDatabase): Promise<Part> {
  const { fleet, cluster, database } = place;
  const connections = fleet.connections(cluster);
  const there = await connections.use(connections.maintenanceDatabase, (session) =>
    session.row(sql`select from pg_database where datname = ${database}`),
  );
  if (there === undefined) return NOTHING;
  const { tenancy } = fleet.settings;
  const traces = await connections.use(database, (session) => readTraces(session, tenancy));
  return partOf(place, traces);
}

function partOf(place: InDatabase, traces: Traces): Part {
  const where = `${place.cluster}/${place.database}`;
  return {
    removed: removedOf(where, place, traces),
    kept: keptOf(where, traces),
    blockers: blockersOf(where, place, traces),
  };
}

function removedOf(
  where: string,
  { fleetId }: InDatabase,
  { installed, tables, comments, rescanned, catalogOf }: Traces,
): UninstallItem[] {
  const on = ({ schema, name }: MarkedTable) => `${schema}.${name}`;
  return [
    ...tables.flatMap((table) => [
      ...table.triggers.map((name) => ({ kind: 'trigger', name: `${name} on ${on(table)}`, where })),
      ...table.checks.map((name) => ({ kind: 'constraint', name: `${name} on ${on(table)}`, where })),
      ...(table.policies.includes('tenantctl_rescan')
        ? [{ kind: 'policy', name: `tenantctl_rescan on ${on(table)}`, where }]
        : []),
      ...(table.rescanned
        ? [{ kind: 'grant', name: `SELECT on ${on(table)} to tenantctl_rescan`, where }]
        : []),
    ]),
    ...rescanned.map((name) => ({
      kind: 'grant',
      name: `USAGE on schema ${name} to tenantctl_rescan`,
      where,
    })),
    ...comments.map((name) => ({ kind: 'comment', name: `on schema ${name}`, where })),
    // Beside the catalog it goes with it, at the end.
    ...(installed && catalogOf !== fleetId ? [{ kind: 'schema', name: 'tenantctl', where }] : []),
  ];
}

const HOLDS_APART: ReadonlySet<string> = new Set(['tenantctl_tenant', 'tenantctl_guard']);

function keptOf(where: string, { tables, homes, defaults, extensions }: Traces): KeptItem[] {
  const policies = tables.flatMap(({ schema, name, policies: own }) =>
    own
      .filter((policy) => policy !== 'tenantctl_rescan')
      .map((policy) => ({
        kind: 'policy',
        name: `${policy} on ${schema}.${name}`,
        where,
        reason: HOLDS_APART.has(policy)
          ? 'it keeps tenants apart, from now on by the tenant of the session alone; row-level security stays enabled and forced'
          : 'without it the administrator sees no row of the table',
      })),
  );
  return [
    ...policies,
    ...defaults.map(({ schema, count }) => ({
      kind: 'column default',
      name: `of the tenant column in ${count} table${count === 1 ? '' : 's'} of schema ${schema}`,
      where,
      reason: 'applications that leave the column out rely on it',
    })),
    ...extensions.map((name) => ({
      kind: 'schema',
      name,
      where,
      reason: 'extensions that the application uses are in it, or may be',
    })),
    ...homesOf(where, homes),
  ];
}

function homesOf(where: string, homes: Traces['homes']): KeptItem[] {
  const schemas = [...new Set(homes.map(({ schema }) => schema))];
  return schemas.map((schema) => {
    const tenants = homes.filter((home) => home.schema === schema).map(({ tenant }) => tenant);
    const whose = tenants.length === 1 ? `tenant ${tenants[0]}` : `${tenants.length} tenants`;
    return {
      kind: 'home',
      name: `schema ${schema} of ${whose}`,
      where,
      reason: 'it holds the data; its tables, rights and roles stay as they are',
    };
  });
}

function blockersOf(
  where: string,
  { fleetId, tenants }: InDatabase,
  { tables, homes, outside, aside, catalogOf }: Traces,
): string[] {
  const strangers = homes.filter(({ tenant }) => !tenants.has(tenant)).map(({ tenant }) => tenant);
  const unknown = tables.filter(
    ({ type, policies }) => type === null && policies.some((one) => HOLDS_APART.has(one)),
  );
  return [
    ...(catalogOf === null || catalogOf === fleetId ? [] : [`in ${where} is the catalog of another fleet`]),
    ...(aside === 0
      ? []
      : [
          `in ${where} a move has set ${aside} constraints or triggers aside: \`tenantctl doctor --fix\` puts them back`,
        ]),
    ...(strangers.length === 0
      ? []
      : [
          `in ${where} live tenants that the catalog does not know (${strangers.slice(0, 5).join(', ')}): another fleet may rely on what is there`,
        ]),
    ...outside.map(
      ({ kind, name }) =>
        `in ${where} ${kind} ${name} uses schema tenantctl: drop it, or let it use something else`,
    ),
    ...unknown.map(
      ({ schema, name }) =>
        `in ${where} table ${schema}.${name} has a policy of this tool and no tenant column of the configured name: what its plain policy would be is not known`,
    ),
  ];
}
