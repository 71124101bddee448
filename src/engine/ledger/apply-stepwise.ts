import type { Connection } from '../../pg/connection.js';
import type { Migration } from './migration.js';
import { outsideTransaction } from './outside-transaction.js';
import { type Progress, progressUpdate } from './steps/progress.js';
import { leavesNoTrace, runStep } from './steps/run-step.js';
import type { Step } from './steps/step.js';
import type { MigrationAttempt } from './target.js';

/**
 * Runs the statements of a `no-transaction` file one after the other, and records each when it is done: the
 * next try goes on with the first that is not. A crash between a statement and its record runs that one again, so a
 * concurrent one first looks at what is there (see `runStep`); the others must bear it.
 */
export async function applyStepwise(
  connection: Connection,
  target: MigrationAttempt,
  migration: Migration,
  after: number | null,
): Promise<void> {
  await outsideTransaction(connection, target, migration, after, async (progress) => {
    for (const [index, statement] of migration.statements.entries()) {
      if (index < progress.done) continue;
      const interrupted = progress.begun && index === progress.done;
      if (migration.statements.length > 1)
        target.onStep?.(`${migration.name}: statement ${index + 1} of ${migration.statements.length}`);
      await recorded({ connection, target, migration, statement, index, interrupted });
    }
  });
}

async function recorded(step: Step): Promise<void> {
  const { connection, target, migration, index, statement } = step;
  const record = (progress: Progress) => connection.execute(progressUpdate(target, migration, progress));
  if (leavesNoTrace(statement)) await record({ done: index, begun: true });
  try {
    await runStep(step);
  } catch (error) {
    // The server answered, so nothing is in doubt.
    if (connection.usable) await record({ done: index, begun: false });
    throw error;
  }
  await record({ done: index + 1, begun: false });
}
