import type { Sql } from '../../pg/sql.js';
import type { Migration } from './migration.js';
import { mirrorStatements } from './mirror.js';
import { ITSELF_AGAIN, becomeOwner } from './owner.js';
import { type MigrationTarget, completion } from './target.js';

/**
 * What follows a migration in the transaction that records it, while that still acts as the role that owns the unit's
 * tables: the other tool's ledger is kept true, and the administrator, itself again, brings new tables up to the rules of
 * the tier.
 */
export function closing(target: MigrationTarget, migration: Migration): Sql[] {
  const mirror = mirrorStatements(target.unit, migration);
  const rules = completion(target, [migration]);
  if (rules === null) return mirror;
  return [...mirror, ...(becomeOwner(target) === null ? [] : [ITSELF_AGAIN]), rules];
}
