import type { Tier } from '../../../core/tier.js';
import type { AdoptRequest } from '../request.js';

/** A tenant that was found, before it has an id. */
export interface Found extends Omit<AdoptRequest, 'id'> {
  /** What its id is made of. */
  name: string;
}

export interface FoundPlace {
  tier: Tier;
  cluster: string;
  database: string;
  schema: string;
  key: string | null;
}

/** A tenant of whom nothing but the place is known. */
export function foundAt(name: string, place: FoundPlace): Found {
  return { name, ...place, plan: null, owner: null, labels: {}, role: null, version: null, ledger: null };
}

/** What could not be looked at, and why. */
export interface DiscoveryProblem {
  cluster: string;
  /** Null where it is about the whole cluster. */
  database: string | null;
  message: string;
}
