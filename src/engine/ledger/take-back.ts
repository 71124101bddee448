import { conflictError } from '../../core/errors.js';
import type { Connection } from '../../pg/connection.js';
import { tryWithLock } from '../../pg/locks.js';
import { type Sql, sql } from '../../pg/sql.js';
import { adoptedFault } from './adopted-fault.js';
import { closing } from './closing.js';
import { migrationFailure } from './fault.js';
import { inLockQueue } from './lock-queue.js';
import { Message } from './message.js';
import type { Migration } from './migration.js';
import { mirrorStatements } from './mirror.js';
import { asOwner } from './owner.js';
import { executeStatement, inOwnSession } from './outside-transaction.js';
import { runStep } from './steps/run-step.js';
import { type MigrationAttempt, type MigrationTarget, migrationSettings } from './target.js';
import { addUnderLimits } from './under-limits.js';
import { refuseWhileWayBack } from './way-back-open.js';

/**
 * Takes migrations of one unit back, newest first: each in one transaction with the end of its ledger
 * row, or statement by statement where it cannot run in a transaction. Lock timeouts are tried again.
 * @param downs the ways back, newest first; the first must be the newest that the unit has
 * @throws partial error `MIGRATION_FAILED`; what was taken back before it stays so
 * @throws conflict `UNIT_BUSY`, `UNIT_MOVING` or `WAY_BACK_OPEN` (exit 5) · refusal `OWNER_NOT_ASSUMABLE` (exit 6)
 */
export async function takeBack(
  connection: Connection,
  target: MigrationTarget,
  downs: readonly Migration[],
): Promise<void> {
  for (const down of downs) {
    const transactional = !down.directives.noTransaction && !down.directives.batched;
    await inLockQueue(connection, target, new Set(), async (attempt) => {
      try {
        await (transactional ? together : stepwise)(connection, attempt, down);
      } catch (error) {
        throw await adoptedFault(connection, target, error);
      }
    });
  }
}

async function together(connection: Connection, target: MigrationAttempt, down: Migration): Promise<void> {
  const message = new Message().add('begin');
  addUnderLimits(
    message,
    target,
    down,
    (limits) => sql`select ${ended(target, down)}, ${migrationSettings(target, limits)}`,
  );
  for (const statement of closing(target, down)) message.add(statement.text(), down);
  message.add('commit', down);
  try {
    await connection.message(message.text);
  } catch (error) {
    if (connection.usable) await connection.rollback();
    throw migrationFailure(target, message, error);
  }
}

/** The ledger row ends last: after a crash the unit still has the migration, and the steps are taken again. */
async function stepwise(connection: Connection, target: MigrationAttempt, down: Migration): Promise<void> {
  const held = await tryWithLock(connection, 'unit', target.unit.ledgerKey, () =>
    inOwnSession(connection, target, down, async () => {
      const refusal = refuseWhileWayBack(target, down);
      if (refusal !== null) await connection.execute(refusal);
      for (const [index, statement] of down.statements.entries()) {
        // No steps are recorded on the way back: what is gone counts as taken away.
        if (!down.directives.batched)
          await runStep({ connection, target, migration: down, statement, index, interrupted: true });
        else
          await asOwner(connection, target, async () => {
            while ((await executeStatement(connection, target, down, statement)) > 0);
          });
      }
      await connection.transaction(async () => {
        await connection.rows(sql`select ${ended(target, down)}`);
        await asOwner(connection, target, async () => {
          for (const statement of mirrorStatements(target.unit, down)) await connection.execute(statement);
        });
      });
    }),
  );
  if (held !== undefined) return;
  throw conflictError('UNIT_BUSY', `${target.unit.id} is being migrated by another process.`, {
    hint: 'Wait for it and run the same command again.',
    facts: { unit: target.unit.id },
  });
}

function ended({ unit }: MigrationTarget, { id }: Migration): Sql {
  return sql`tenantctl.take_back(${unit.ledgerKey}, ${id}::integer)`;
}
