import type { Fleet } from '../../engine/context.js';
import type { AdoptRequest } from './request.js';

export interface DiscoverOptions {
  /** Patterns of LIKE for names of schemas, and of databases; null to leave those out. */
  schemas: string | null;
  databases: string | null;
  /** A query of the user's that lists tenants, with columns of the list; null for none. */
  sql: string | null;
}

/** What is there and not under management yet, as rows of the list that `adopt` takes in. Changes nothing. */
export function discover(_fleet: Fleet, _options: DiscoverOptions): Promise<AdoptRequest[]> {
  return Promise.resolve([]);
}
