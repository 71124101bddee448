import type { FleetSettings, PoolSettings, RlsMode, UnitTenancy } from './settings.js';

/** What a pool does about row-level security: one mode for its tables, and tables that are ahead of it. */
export interface PoolRules {
  mode: RlsMode;
  enforce: readonly string[];
}

/** Where a pool is; units and placements say it too. */
export interface PoolPlace {
  cluster: string;
  database: string;
  schema: string;
}

type Settings = Pick<FleetSettings, 'clusters' | 'tenancy'>;

/** The rules of the pool at this place. One that the configuration does not name follows `tenancy.rls`. */
export function rulesOfPool({ clusters, tenancy }: Settings, place: PoolPlace): PoolRules {
  const pool = Object.values(clusters[place.cluster]?.pools ?? {}).find(
    ({ database, schema }) => database === place.database && schema === place.schema,
  );
  return rulesOf(pool, tenancy.rls);
}

/** @param usual the fleet's mode, for pools that say nothing */
export function rulesOf(pool: PoolSettings | undefined, usual: RlsMode): PoolRules {
  return { mode: pool?.rls ?? usual, enforce: pool?.enforce ?? [] };
}

/** How one table of a pool is held; a partition follows the table that it is a part of. */
export function modeOf({ mode, enforce }: PoolRules, table: string): RlsMode {
  return isWatching(mode) && enforce.includes(table) ? 'enforce' : mode;
}

/** Does a pool of this mode leave tables as they are? */
export function isWatching(mode: RlsMode): boolean {
  return mode === 'observe' || mode === 'off';
}

/** The rules of tenancy as they hold for one unit; in tiers without pools those of row-level security say nothing. */
export function tenancyOf(settings: Settings, unit: PoolPlace): UnitTenancy {
  const { mode, enforce } = rulesOfPool(settings, unit);
  return { ...settings.tenancy, rls: mode, enforce };
}

/** `enforce`, `observe`, `observe, but enforce invoice and note` */
export function rulesInWords({ mode, enforce }: PoolRules): string {
  return isWatching(mode) && enforce.length > 0 ? `${mode}, but enforce ${enforce.join(', ')}` : mode;
}
