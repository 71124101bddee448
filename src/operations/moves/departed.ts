import type { StoredMove } from '../../engine/catalog/moves.js';
import type { Fleet } from '../../engine/context.js';
import { readPlacement } from '../../engine/local/placements.js';

/**
 * Has the tenant left a home without the catalog having heard of it? The home knows first; whoever was killed right then leaves a tenant
 * that is refused everywhere until its move goes on. A home that cannot be asked says nothing.
 */
export async function leftUnheard(
  fleet: Fleet,
  { tenant, from, to, state, undo }: Pick<StoredMove, 'tenant' | 'from' | 'to' | 'state' | 'undo'>,
): Promise<boolean> {
  const undecided = state === 'prepared' || state === 'verified' || undo === 'syncing';
  if (!undecided) return false;
  const home = { tenant: { id: tenant }, placement: undo === 'syncing' ? to : from };
  const { cluster, database } = home.placement;
  const placed = await fleet
    .managed(cluster, database, (session) => readPlacement(session, home))
    .catch(() => undefined);
  return placed?.state === 'moved';
}
