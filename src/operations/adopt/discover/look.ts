import type { ClusterSettings, PoolSettings } from '../../../core/settings.js';

/** What is looked for in one database. */
export interface Look {
  database: string;
  pools: PoolSettings[];
  /** Tenants' schemas that fit this pattern. */
  schemas: string | null;
  /** Is it all of one tenant, whose name is what the pattern leaves open? */
  dedicated: string | null;
  /** Is the user's query asked here? */
  query: boolean;
}

/** Patterns of LIKE for names. */
export interface Patterns {
  schemas: string | null;
  databases: string | null;
  /** Are schemas looked for in the databases that fit, and those are nobody's own? */
  nested: boolean;
}

/** Where PostgreSQL itself starts from. */
const MAINTENANCE = 'postgres';

/**
 * What is looked for where. Pools: where the configuration has them. Schemas: in the cluster's database for schemas, or, nested,
 * in every database that fits. Databases: every one that fits and that the configuration does not name. The query: wherever
 * the configuration speaks of a database.
 */
export function looksAt(
  cluster: ClusterSettings,
  databases: readonly { name: string; fits: boolean }[],
  patterns: Patterns,
  maintenance: string,
): Look[] {
  const pools = Object.values(cluster.pools);
  const configured = new Set([cluster.schemaDatabase, maintenance, ...pools.map(({ database }) => database)]);
  const looks = databases.map(({ name, fits }): Look => {
    const holdsSchemas = patterns.nested ? fits : name === cluster.schemaDatabase;
    const dedicated = !patterns.nested && fits && !configured.has(name) && name !== MAINTENANCE;
    return {
      database: name,
      pools: pools.filter(({ database }) => database === name),
      schemas: holdsSchemas ? patterns.schemas : null,
      dedicated: dedicated ? patterns.databases : null,
      query: configured.has(name),
    };
  });
  return looks.filter(
    ({ pools: own, schemas, dedicated, query }) =>
      own.length > 0 || schemas !== null || dedicated !== null || query,
  );
}
