import type { Placement } from '../core/tier.js';

/** `pool shared` or the name of the tier. */
export function homeName({ tier, pool }: Placement): string {
  return pool === null ? tier : `pool ${pool}`;
}
