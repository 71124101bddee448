import type { ClusterSettings, FleetSettings } from '../../../core/settings.js';
import type { Tier } from '../../../core/tier.js';
import type { ListCells } from './columns.js';
import { RowProblem } from './row-problem.js';

/** Where a tenant of the list lives. */
interface ListedPlace {
  cluster: string;
  database: string;
  schema: string;
}

/** The schema of a dedicated database where nobody names another. */
export const USUAL_SCHEMA = 'public';

const MOST_BYTES_OF_A_NAME = 63;
const SYSTEM_SCHEMA = /^pg_|^information_schema$|^tenantctl(?:_catalog)?$/;
const SYSTEM_DATABASE = /^template[01]$/;

const PLACES: Record<Tier, (cells: ListCells, settings: FleetSettings) => ListedPlace> = {
  pool: poolPlace,
  schema: schemaPlace,
  database: databasePlace,
};

/**
 * Where the row says that its tenant lives, completed from the configuration where that leaves no choice.
 * @throws RowProblem
 */
export function placeIn(tier: Tier, cells: ListCells, settings: FleetSettings): ListedPlace {
  return checkNames(PLACES[tier](cells, settings));
}

/** The one pool of the configuration that fits whatever the row says. */
function poolPlace(cells: ListCells, settings: FleetSettings): ListedPlace {
  const cluster = cells.get('cluster');
  if (cluster !== undefined) clusterOf(cells, settings);
  const all = Object.values(settings.clusters).flatMap(({ name, pools }) =>
    Object.values(pools).map((pool) => ({
      cluster: name,
      pool: pool.name,
      database: pool.database,
      schema: pool.schema,
    })),
  );
  const columns = ['cluster', 'pool', 'database', 'schema'] as const;
  const fitting = all.filter((pool) =>
    columns.every((column) => (cells.get(column) ?? pool[column]) === pool[column]),
  );
  const [only] = fitting;
  if (only !== undefined && fitting.length === 1)
    return { cluster: only.cluster, database: only.database, schema: only.schema };
  if (only !== undefined)
    throw new RowProblem(
      `it fits several pools: ${fitting.map(({ pool }) => pool).join(', ')}; name one in column pool`,
    );
  throw new RowProblem(noPool(cells));
}

function noPool(cells: ListCells): string {
  const said = ['cluster', 'pool', 'database', 'schema'].flatMap((column) => {
    const text = cells.get(column);
    return text === undefined ? [] : [`${column} ${JSON.stringify(text)}`];
  });
  const which = said.length === 0 ? '' : ` of ${said.join(', ')}`;
  return `the configuration has no pool${which}; clusters.<name>.pools names database and schema of each`;
}

function schemaPlace(cells: ListCells, settings: FleetSettings): ListedPlace {
  refusePool(cells);
  const cluster = clusterOf(cells, settings);
  const schema = cells.get('schema');
  if (schema === undefined) throw new RowProblem('it has no schema');
  return { cluster: cluster.name, database: cells.get('database') ?? cluster.schemaDatabase, schema };
}

function databasePlace(cells: ListCells, settings: FleetSettings): ListedPlace {
  refusePool(cells);
  const cluster = clusterOf(cells, settings);
  const database = cells.get('database');
  if (database === undefined) throw new RowProblem('it has no database');
  return { cluster: cluster.name, database, schema: cells.get('schema') ?? USUAL_SCHEMA };
}

function refusePool(cells: ListCells): void {
  if (cells.has('pool')) throw new RowProblem('only tenants of tier pool have a pool');
}

function clusterOf(cells: ListCells, { clusters }: FleetSettings): ClusterSettings {
  const name = cells.get('cluster');
  const all = Object.values(clusters);
  const [only] = all;
  if (name === undefined) {
    if (only !== undefined && all.length === 1) return only;
    throw new RowProblem(`it names no cluster; there are ${Object.keys(clusters).join(', ')}`);
  }
  const cluster = Object.hasOwn(clusters, name) ? clusters[name] : undefined;
  if (cluster !== undefined) return cluster;
  throw new RowProblem(`the configuration has no cluster ${JSON.stringify(name)}`);
}

function checkNames(place: ListedPlace): ListedPlace {
  for (const column of ['database', 'schema'] as const) {
    const bytes = Buffer.byteLength(place[column]);
    if (bytes > MOST_BYTES_OF_A_NAME)
      throw new RowProblem(
        `${column} has ${bytes} bytes; PostgreSQL knows no name of more than ${MOST_BYTES_OF_A_NAME}`,
      );
    if (place[column].includes('\0')) throw new RowProblem(`${column} holds a NUL`);
  }
  if (SYSTEM_SCHEMA.test(place.schema)) throw new RowProblem(`schema ${place.schema} is nobody's home`);
  if (SYSTEM_DATABASE.test(place.database))
    throw new RowProblem(`database ${place.database} is nobody's home`);
  return place;
}
