import pLimit from 'p-limit';
import { refusedError } from '../../core/errors.js';
import type { LegalHold } from '../../core/offboarding.js';
import type { Adoption } from '../../core/adoption.js';
import type { Tier } from '../../core/tier.js';
import type { UnitVersion } from '../../core/unit.js';
import type { Fleet } from '../../engine/context.js';
import { ADOPTION } from '../../engine/local/adopted.js';
import { type Admission, hasLocalState } from '../../engine/local/placements.js';
import type { Connection } from '../../pg/connection.js';
import { raw, sql } from '../../pg/sql.js';
import { faultOf } from '../fault.js';
import { isThere } from '../is-there.js';

/** A home as its database tells it. */
export interface FoundHome {
  cluster: string;
  database: string;
  tenant: string;
  key: string;
  tier: Tier;
  schema: string;
  /** The unit's name in the ledger of its database. */
  unit: string;
  role: string;
  plan: string | null;
  owner: string | null;
  labels: Record<string, string>;
  status: string;
  state: Admission;
  epoch: number;
  holds: LegalHold[];
  createdAt: string;
  version: UnitVersion | null;
  /** Where another tool had made it. */
  adopted: Adoption | null;
  /** The database of the catalog that it was adopted into. */
  adoptedInto: string | null;
  /** The move that it takes part in, and on which side. */
  move: { id: string; side: 'source' | 'target' } | null;
}

const CLUSTERS_AT_ONCE = 4;
const DATABASES_AT_ONCE = 4;

/**
 * Every home of the fleet, in every database of its clusters that has local state.
 * @throws refusal `FLEET_NOT_SEEN` (exit 6) when any of them cannot be looked into: a newer home could be there
 */
export async function readHomes(fleet: Fleet): Promise<FoundHome[]> {
  const lanes = pLimit(CLUSTERS_AT_ONCE);
  const names = Object.keys(fleet.settings.clusters);
  const homes = await Promise.all(names.map((name) => lanes(() => homesOfCluster(fleet, name))));
  return homes.flat();
}

async function homesOfCluster(fleet: Fleet, cluster: string): Promise<FoundHome[]> {
  const connections = fleet.connections(cluster);
  const databases = await connections
    .use(connections.maintenanceDatabase, (session) =>
      session.rows<{ name: string }>(
        raw(`select datname::text as name from pg_database
              where not datistemplate and datallowconn and has_database_privilege(oid, 'CONNECT') order by 1`),
      ),
    )
    .catch((error: unknown) => {
      throw notSeen(cluster, error);
    });
  const lanes = pLimit(DATABASES_AT_ONCE);
  const homes = await Promise.all(
    databases.map(({ name }) => lanes(() => homesOfDatabase(fleet, cluster, name))),
  );
  return homes.flat();
}

async function homesOfDatabase(fleet: Fleet, cluster: string, database: string): Promise<FoundHome[]> {
  const look = () =>
    fleet
      .connections(cluster)
      .use(database, async (session) =>
        (await hasLocalState(session)) ? readRows(session, cluster, database) : [],
      );
  try {
    // Whoever drops a database ends the sessions in it first: the second try waits until it is gone.
    return await look().catch(look);
  } catch (error) {
    if (!(await isThere(fleet, cluster, database))) return [];
    throw notSeen(`${cluster}/${database}`, error);
  }
}

/** Local state of an older version of this tool knows of no moves, and of no homes that another one had made. */
async function readRows(session: Connection, cluster: string, database: string): Promise<FoundHome[]> {
  const knows = async (table: string): Promise<boolean> =>
    (await session.row(sql`select where to_regclass(${table}) is not null`)) !== undefined;
  const [knowsMoves, knowsAdopted] = [await knows('tenantctl.move'), await knows('tenantctl.adopted')];
  const adoptedInto = knowsAdopted ? INTO_OF_HOME : 'null::text';
  const rows = await session.rows<Omit<FoundHome, 'cluster' | 'database'>>(
    raw(`
      select p.tenant, p.key, p.tier, p.schema, p.unit, p.role, p.plan, p.owner, p.labels, p.status, p.state, p.epoch::int as epoch,
             case jsonb_typeof(p.hold) when 'array' then p.hold when 'object' then jsonb_build_array(p.hold) else '[]' end as holds,
             to_char(p.created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as "createdAt",
             (select jsonb_build_object('id', l.id, 'name', l.name) from tenantctl.ledger l
               where l.unit = p.unit and l.rolled_back_at is null and l.state = 'applied' order by l.id desc limit 1) as version,
             ${knowsAdopted ? ADOPTION_OF_HOME : 'null::jsonb'} as adopted, ${adoptedInto} as "adoptedInto",
             ${knowsMoves ? MOVE_OF_HOME : 'null::jsonb'} as move
        from tenantctl.placement p order by p.tenant, p.schema`),
  );
  return rows.map((row) => ({ ...row, cluster, database }));
}

const MOVE_OF_HOME = `
  (select jsonb_build_object('id', m.move, 'side', m.side) from tenantctl.move m
    where m.tenant = p.tenant and m.schema = p.schema order by m.started_at desc limit 1)`;

const ADOPTION_OF_HOME = `
  (select ${ADOPTION.text()} from tenantctl.adopted a where a.unit = p.unit)`;

/** By way of JSON: local state of a version in between has no such column. */
const INTO_OF_HOME = `(select to_jsonb(a) ->> 'catalog' from tenantctl.adopted a where a.unit = p.unit)`;

function notSeen(where: string, cause: unknown) {
  return refusedError(
    'FLEET_NOT_SEEN',
    `${where} could not be looked into, so the catalog is not rebuilt: ${faultOf(cause).message}`,
    {
      hint: 'A newer home of some tenant could be there. Nothing was changed. Mend the connection, or take the cluster out of the configuration if it is gone for good.',
      facts: { where },
      cause,
    },
  );
}

/** `database app_shared of cluster main, schema tenant_acme` */
export function whereIs({ cluster, database, schema }: FoundHome): string {
  return `database ${database} of cluster ${cluster}, schema ${schema}`;
}
