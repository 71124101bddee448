import { conflictError } from '../../core/errors.js';
import { pause } from '../../core/pause.js';
import type { Connection } from '../../pg/connection.js';
import { withLockRetry } from '../../pg/retry.js';
import { migrationFailure } from './fault.js';
import { Message } from './message.js';
import type { Migration } from './migration.js';
import { outsideTransaction } from './outside-transaction.js';
import { ITSELF_AGAIN, becomeOwner } from './owner.js';
import { progressUpdate } from './steps/progress.js';
import type { MigrationTarget } from './target.js';

/**
 * Repeats a batched migration until it touches no row, one commit each time together with its record in the ledger,
 * and rests in between. A crash costs the batch that was under way. A batch that met a lock is
 * tried again by itself: in hours of work more of them do than the tries of a unit allow for.
 * @throws conflict `UNIT_INTERRUPTED` (exit 5) between two batches when the target's signal is aborted
 */
export async function applyBatched(
  connection: Connection,
  target: MigrationTarget,
  migration: Migration,
  after: number | null,
): Promise<void> {
  const { retries, batchPauseMs } = target.rollout;
  await outsideTransaction(connection, target, migration, after, async ({ done }) => {
    let total = 0;
    for (let batch = done + 1; ; batch += 1) {
      const number = batch;
      const rows = await withLockRetry(retries, new Set(), () =>
        sendBatch(connection, target, migration, number),
      );
      if (rows === 0) return;
      total += rows;
      target.onStep?.(`${migration.name}: batch ${batch}: ${total.toLocaleString('en')} rows`);
      if (batchPauseMs > 0) await pause(batchPauseMs, target.signal);
      if (target.signal?.aborted) throw interrupted(target, migration, batch);
    }
  });
}

/** One batch, and the number of it, in one round trip and one commit. @returns the rows it touched */
async function sendBatch(
  connection: Connection,
  target: MigrationTarget,
  migration: Migration,
  batch: number,
): Promise<number> {
  const message = new Message().add('begin');
  const owner = becomeOwner(target);
  if (owner !== null) message.add(owner.text());
  message.addMigration(migration);
  if (owner !== null) message.add(ITSELF_AGAIN.text());
  message.add(progressUpdate(target, migration, { done: batch, begun: false }).text(), migration);
  try {
    const results = await connection.message(message.add('commit').text);
    return results[owner === null ? 1 : 2]?.rowCount ?? 0;
  } catch (error) {
    if (connection.usable) await connection.rollback();
    throw migrationFailure(target, message, error);
  }
}

function interrupted({ unit }: MigrationTarget, { name }: Migration, batches: number) {
  return conflictError(
    'UNIT_INTERRUPTED',
    `${unit.id}: ${name} was interrupted after ${batches} batches; these are kept, and it goes on after them.`,
    { hint: 'Run the same command again.', facts: { unit: unit.id, migration: name, batches } },
  );
}
