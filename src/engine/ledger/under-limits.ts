import { type Sql, sql } from '../../pg/sql.js';
import { type StatementLimits, blockingLimits, firstBlocking, limitSettings, usualLimits } from './limits.js';
import type { Message } from './message.js';
import { becomeOwner } from './owner.js';
import type { Migration } from './migration.js';
import type { MigrationAttempt } from './target.js';
import { refuseWhileWayBack } from './way-back-open.js';

/**
 * Adds a migration under its limits, done by the role that owns the unit's tables. From the first statement on whose lock blocks others they are short ones,
 * as the lock is held until the commit. Where that is the first statement of all, or there is none, they
 * cost no statement of their own. What would cut the way back of a moved tenant is refused before it begins.
 * @param opening what goes before it and sets the limits it begins with
 */
export function addUnderLimits(
  message: Message,
  target: MigrationAttempt,
  migration: Migration,
  opening: (limits: StatementLimits) => Sql,
): void {
  const statement = firstBlocking(migration);
  const short = blockingLimits(target, target.queueMs);
  message.add(opening(statement === 0 ? short : usualLimits(target)).text());
  const refusal = refuseWhileWayBack(target, migration);
  if (refusal !== null) message.add(refusal.text(), migration);
  const owner = becomeOwner(target);
  if (owner !== null) message.add(owner.text());
  if (statement === null || statement === 0) message.addMigration(migration);
  else
    message.addInterrupted(migration, { statement, text: sql`select ${limitSettings(short, true)}`.text() });
}
