import type { ClusterSettings } from '../../../core/settings.js';
import type { Fleet } from '../../../engine/context.js';
import type { Connection } from '../../../pg/connection.js';
import { mainSchema } from './databases.js';
import { type Found, foundAt } from './found.js';
import { LocalHomes } from './known.js';
import type { Look } from './look.js';
import { variablePart } from './pattern.js';
import { poolTenants } from './pools.js';
import { schemasLike } from './schemas.js';
import { queriedTenants } from './tenants-query.js';

/** What one database holds that is not under management. */
export interface Contents {
  found: Found[];
  /** What the user's query lists; null where it was not asked, or has no table here. */
  queried: Found[] | null;
  problems: string[];
}

/** Looks into one database; nothing is installed or written by that. */
export async function lookInto(
  fleet: Fleet,
  session: Connection,
  cluster: ClusterSettings,
  look: Look,
  query: string | null,
): Promise<Contents> {
  const homes = await LocalHomes.read(session);
  const contents: Contents = { found: [], queried: null, problems: [] };
  for (const pool of look.pools) {
    const { found, problems } = await poolTenants(fleet, session, cluster, pool, homes);
    contents.found.push(...found);
    contents.problems.push(...problems);
  }
  contents.found.push(...(await tenantSchemas(fleet, session, cluster, look, homes)));
  contents.found.push(...(await dedicated(session, cluster, look, homes)));
  if (query === null || !look.query) return contents;
  const place = { cluster: cluster.name, pools: look.pools.map(({ schema }) => schema) };
  const answer = await queriedTenants(session, query, place, fleet.settings);
  contents.problems.push(...(answer?.problems ?? []));
  return { ...contents, queried: answer?.found ?? null };
}

async function tenantSchemas(
  { settings }: Fleet,
  session: Connection,
  cluster: ClusterSettings,
  { database, pools, schemas: pattern }: Look,
  homes: LocalHomes,
): Promise<Found[]> {
  if (pattern === null) return [];
  const others = [...pools.map(({ schema }) => schema), settings.tenancy.extensionsSchema];
  const schemas = await schemasLike(session, pattern, others);
  return schemas
    .filter((schema) => !homes.hasSchema(schema))
    .map((schema) =>
      foundAt(variablePart(pattern, schema), {
        tier: 'schema',
        cluster: cluster.name,
        database,
        schema,
        key: null,
      }),
    );
}

async function dedicated(
  session: Connection,
  cluster: ClusterSettings,
  { database, dedicated: pattern }: Look,
  homes: LocalHomes,
): Promise<Found[]> {
  if (pattern === null || !homes.empty) return [];
  const main = await mainSchema(session);
  if (main === null) return [];
  const place = {
    tier: 'database',
    cluster: cluster.name,
    database,
    schema: main.schema,
    key: null,
  } as const;
  return [{ ...foundAt(variablePart(pattern, database), place), ledger: main.ledger }];
}
