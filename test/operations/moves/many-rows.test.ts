import { expect, test } from 'vitest';
import { useServer } from '../../support/server.js';
import { movingFleet } from './fleet.js';

const server = useServer();

test('tables of more rows than are written at once arrive whole in a pool that is in use', async () => {
  const fleet = await movingFleet(server.current);
  const before = await fleet.rows(await fleet.tenant('many', 'schema', 21_000));
  const writer = fleet.writer('many');
  await writer.commits(10);
  const report = await fleet.promote({ id: 'many', to: 'pool', method: 'online' });
  await writer.commits(10);
  const { lost, extra, surprises } = await fleet.settle('many', writer);
  expect({ lost, extra, surprises: [...surprises], state: report.state }).toEqual({
    lost: [],
    extra: [],
    surprises: [],
    state: 'grace',
  });
  // Every row was compared by the move itself; the writer has added and removed a few.
  const after = await fleet.rows(await fleet.show('many'));
  expect(after['event']).toBeGreaterThanOrEqual(before['event'] ?? Infinity);
  expect(after['note']).toBeGreaterThanOrEqual(before['note'] ?? Infinity);
});
