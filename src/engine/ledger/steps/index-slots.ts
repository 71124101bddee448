import { setTimeout as sleep } from 'node:timers/promises';
import { conflictError } from '../../../core/errors.js';
import { tryWithLock } from '../../../pg/locks.js';
import type { Step } from './step.js';

const AGAIN_MS = 250;

/**
 * Builds an index when fewer than `rollout.indexBuilds` are being built in this database, by whatever process. A place is
 * asked for again and again, never waited for in the server's queue: that would deadlock with a build.
 * @throws conflict `INDEX_BUILDS_BUSY` (exit 5) when there was no place for as long as a statement may take
 */
export async function withIndexSlot(
  { connection, target }: Pick<Step, 'connection' | 'target'>,
  work: () => Promise<void>,
): Promise<void> {
  const { indexBuilds, statementTimeoutMs } = target.rollout;
  const deadline = performance.now() + statementTimeoutMs;
  for (let tries = 0; ; tries += 1) {
    for (let slot = 0; slot < indexBuilds; slot += 1) {
      if ((await tryWithLock(connection, 'indexBuild', String(slot), work)) !== undefined) return;
    }
    if (performance.now() > deadline) throw busy(target.unit.id, connection.database, indexBuilds);
    if (tries === 0)
      target.onStep?.(`waits until fewer than ${indexBuilds} indexes are built in ${connection.database}`);
    await sleep(AGAIN_MS * (0.5 + Math.random()));
  }
}

function busy(unit: string, database: string, indexBuilds: number) {
  return conflictError(
    'INDEX_BUILDS_BUSY',
    `${unit}: rollout.indexBuilds (${indexBuilds}) were under way in database ${database} all the time.`,
    {
      hint: 'Run the same command again, or raise rollout.indexBuilds.',
      facts: { unit, database, indexBuilds },
    },
  );
}
