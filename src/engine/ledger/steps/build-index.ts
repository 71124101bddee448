import { usualLimits } from '../limits.js';
import { cleaningUp, dropLeftover, indexState } from './index-state.js';
import { requireSameDefinition } from './index-definition.js';
import type { Step } from './step.js';

/**
 * Builds an index concurrently. `IF NOT EXISTS` is not trusted: it takes an invalid index for the real one. A valid one of
 * that name is kept when it is what the file asks for; an invalid one is dropped and built again. A failed build
 * leaves none behind.
 * @throws conflict `INDEX_DIFFERS` (exit 5)
 */
export async function buildIndex(step: Step, send: () => Promise<void>): Promise<void> {
  const { connection, target, statement } = step;
  const name = statement.concurrentIndex ?? '';
  const schema = (statement.body['relation'] as { schemaname?: string }).schemaname ?? target.unit.schema;
  const state = await indexState(connection, schema, name);
  if (state === 'valid') return requireSameDefinition(step, schema, name);
  if (state === 'invalid') await dropLeftover(connection, schema, name);
  await cleaningUp(connection, usualLimits(target), send, async () => {
    if ((await indexState(connection, schema, name)) === 'invalid')
      await dropLeftover(connection, schema, name);
  });
}
