import { partsOf } from '../locks/tree.js';
import { indexState } from './index-state.js';
import type { Step } from './step.js';

/**
 * Drops an index concurrently. Interrupted, it leaves an invalid one, and dropping that again is enough; one that is gone
 * was dropped by the try that was interrupted.
 */
export async function dropIndex(step: Step, send: () => Promise<void>): Promise<void> {
  const { connection, target, statement, interrupted } = step;
  const [object] = (statement.body['objects'] ?? []) as unknown[];
  const [index = '', schema = target.unit.schema] = partsOf(object).toReversed();
  if (interrupted && (await indexState(connection, schema, index)) === 'absent') return;
  await send();
}
