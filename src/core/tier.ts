/** Where a tenant's rows can live, from the most shared to the least. */
export const TIERS = ['pool', 'schema', 'database'] as const;

export type Tier = (typeof TIERS)[number];

export function isTier(value: unknown): value is Tier {
  return TIERS.includes(value as Tier);
}

/** Where one tenant lives, in names only. It holds no secret and opens no connection. */
export interface Placement {
  tier: Tier;
  cluster: string;
  database: string;
  schema: string;
  /** The pool's name in the pool tier, otherwise null. */
  pool: string | null;
  /** The role that a session for this tenant assumes. */
  role: string;
}
