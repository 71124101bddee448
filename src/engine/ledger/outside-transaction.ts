import { conflictError } from '../../core/errors.js';
import type { Connection } from '../../pg/connection.js';
import { tryWithLock } from '../../pg/locks.js';
import { raw, sql } from '../../pg/sql.js';
import { closing } from './closing.js';
import { migrationFailure, statementFailure } from './fault.js';
import { usualLimits } from './limits.js';
import { Message } from './message.js';
import type { Migration } from './migration.js';
import { ITSELF_AGAIN, becomeOwner } from './owner.js';
import type { ParsedStatement } from './parser.js';
import { type Progress, readProgress } from './steps/progress.js';
import { type MigrationTarget, claim, migrationSettings } from './target.js';
import { refuseWhileWayBack } from './way-back-open.js';

/**
 * The frame around a migration that takes more than one transaction. The unit's lock is held by the
 * session; the ledger says `started` before the first step and `applied` after the last, so that a crash
 * between them is seen. Each step records how far it came.
 * @throws conflict `UNIT_BUSY` (exit 5) when another session has the unit
 */
export async function outsideTransaction(
  connection: Connection,
  target: MigrationTarget,
  migration: Migration,
  after: number | null,
  steps: (progress: Progress) => Promise<void>,
): Promise<void> {
  const held = await tryWithLock(connection, 'unit', target.unit.ledgerKey, async () => {
    await inOwnSession(connection, target, migration, async () => {
      await connection.transaction(async () => {
        await connection.rows(sql`select ${claim(target, after, [migration], 'started')}`);
        const refusal = refuseWhileWayBack(target, migration);
        if (refusal !== null) await connection.execute(refusal);
      });
      await steps(await readProgress(connection, target, migration));
      await connection.transaction(() => finish(connection, target, migration));
    });
  });
  if (held !== undefined) return;
  throw conflictError('UNIT_BUSY', `${target.unit.id} is being migrated by another process.`, {
    hint: 'Wait for it and run the same command again.',
    facts: { unit: target.unit.id },
  });
}

/**
 * Sends one statement of a migration alone.
 * @returns the number of rows that it touched
 * @throws partial error `MIGRATION_FAILED` with file, line and caret
 */
export async function executeStatement(
  connection: Connection,
  target: MigrationTarget,
  migration: Migration,
  statement: ParsedStatement,
): Promise<number> {
  try {
    return await connection.execute(raw(migration.sql.slice(statement.start, statement.end)));
  } catch (error) {
    throw statementFailure(target, migration, statement, error);
  }
}

async function finish(connection: Connection, target: MigrationTarget, migration: Migration): Promise<void> {
  const owner = becomeOwner(target);
  const statements = closing(target, migration);
  if (owner !== null && statements.length > 0) statements.unshift(owner);
  for (const statement of statements) await connection.rows(statement);
  if (owner !== null && statements.length > 0) await connection.execute(ITSELF_AGAIN);
  await connection.execute(sql`
    update tenantctl.ledger set state = 'applied', applied_at = now()
     where unit = ${target.unit.ledgerKey} and id = ${migration.id} and rolled_back_at is null`);
}

/** The migration's settings hold for the session meanwhile, and are taken back afterwards. */
export async function inOwnSession(
  connection: Connection,
  target: MigrationTarget,
  migration: Migration,
  work: () => Promise<void>,
): Promise<void> {
  await connection.rows(sql`select ${migrationSettings(target, usualLimits(target), false)}`);
  try {
    await work();
  } catch (error) {
    // The steps say themselves where they failed; what is left is the frame around them.
    throw migrationFailure(target, new Message().add('', migration), error);
  } finally {
    if (connection.usable) {
      await connection.message(
        "set search_path = pg_catalog; set lock_timeout = 0; set statement_timeout = '15min'; set tenantctl.scope = ''",
      );
    }
  }
}
