import type { Selector } from '../../core/selector.js';
import type { WaveSettings } from '../../core/settings.js';
import { listUnits } from '../../engine/catalog/units.js';
import type { Fleet } from '../../engine/context.js';

/** The waves of a policy that name each unit by their selector. */
export async function namedWaves(
  fleet: Fleet,
  waves: readonly WaveSettings[],
): Promise<Map<string, Set<string>>> {
  const named = new Map<string, Set<string>>();
  for (const { name, select } of waves) {
    if (select === null) continue;
    const units = await fleet.catalog((connection) => listUnits(connection, select));
    for (const { id, shared, selected, tenantCount } of units) {
      if (shared && (selected < tenantCount || !meansPools(select))) continue;
      named.set(id, (named.get(id) ?? new Set()).add(name));
    }
  }
  return named;
}

const OF_POOLS = new Set(['unit', 'pool', 'tier']);

/** A label of a tenant does not mean its pool: the selector must speak of pools itself. */
function meansPools(select: Selector): boolean {
  return select.some((conditions) =>
    conditions.some(({ field, negated }) => !negated && OF_POOLS.has(field)),
  );
}
