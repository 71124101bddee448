/** The columns of a list of tenants that are there already, labels aside: what `adopt` reads and `adopt --discover` writes. */
export const LIST_COLUMNS = [
  'id',
  'tier',
  'cluster',
  'database',
  'schema',
  'tenantKey',
  'plan',
  'pool',
  'owner',
  'role',
  'version',
  'ledger',
] as const;

/** What a row says, by column; what it leaves empty is absent. */
export type ListCells = ReadonlyMap<string, string>;
