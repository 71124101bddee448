import { sql } from '../../../pg/sql.js';
import {
  type StatementLimits,
  blockingLimits,
  concurrentLimits,
  isBlocking,
  limitSettings,
  usualLimits,
} from '../limits.js';
import { executeStatement } from '../outside-transaction.js';
import { asOwner } from '../owner.js';
import type { ParsedStatement } from '../parser.js';
import { buildIndex } from './build-index.js';
import { detachPartition } from './detach-partition.js';
import { dropIndex } from './drop-index.js';
import { withIndexSlot } from './index-slots.js';
import { rebuildIndexes } from './rebuild-indexes.js';
import type { Step } from './step.js';
import { reportingWaits } from './waits.js';

/**
 * Runs one statement under its own limits, as the role that owns the unit's tables. One with CONCURRENTLY first looks at what an earlier try has left, and says
 * whom it waits for.
 * @throws partial error `MIGRATION_FAILED` with file, line and caret · conflict `INDEX_DIFFERS`, `INDEX_BUILDS_BUSY`
 */
export async function runStep(step: Step): Promise<void> {
  const { connection, target, statement } = step;
  await connection.rows(sql`select ${limitSettings(limitsFor(step), false)}`);
  await asOwner(connection, target, () =>
    statement.concurrent ? reportingWaits(step, () => concurrently(step)) : send(step),
  );
}

/** Statements of which nothing is left to look at once they are done. */
export function leavesNoTrace({ kind, concurrent }: ParsedStatement): boolean {
  return concurrent && (kind === 'DropStmt' || kind === 'AlterTableStmt');
}

function limitsFor({ target, migration, statement, index }: Step): StatementLimits {
  if (statement.concurrent) return concurrentLimits(target);
  return isBlocking(migration, index) ? blockingLimits(target, target.queueMs) : usualLimits(target);
}

function concurrently(step: Step): Promise<void> {
  const sent = () => send(step);
  switch (step.statement.kind) {
    case 'IndexStmt':
      return withIndexSlot(step, () => buildIndex(step, sent));
    case 'ReindexStmt':
      return withIndexSlot(step, () => rebuildIndexes(step, sent));
    case 'DropStmt':
      return dropIndex(step, sent);
    default:
      return detachPartition(step, sent);
  }
}

async function send({ connection, target, migration, statement }: Step): Promise<void> {
  await executeStatement(connection, target, migration, statement);
}
