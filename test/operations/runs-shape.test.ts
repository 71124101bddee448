import { expect, test } from 'vitest';
import { useFleets } from './fleets.js';
import { STEP, budget, oneByOne, schemaOf, statuses } from './runs-support.js';

const fleets = useFleets();

test('a unit that was changed by hand fails with the difference in words, though its migration ran', async () => {
  const fleet = await fleets.make(
    { pool: 0, schema: 3, database: 0 },
    oneByOne({ failureBudget: budget(3) }),
  );
  await fleet.shared(`alter table "${schemaOf(fleet, 'schema-2')}".item add column by_hand integer`);
  fleet.add(STEP);
  const report = await fleet.migrate();
  expect(report).toMatchObject({ status: 'partial', totals: { succeeded: 2, failed: 1 } });
  expect(report.failures).toEqual([
    expect.objectContaining({
      unit: 'schema:schema-2',
      code: 'SHAPE_DIFFERS',
      message: expect.stringContaining('column item.by_hand is extra') as string,
    }),
  ]);
  expect(await statuses(fleet)).toMatchObject({
    'schema:schema-1': 'succeeded',
    'schema:schema-2': 'failed',
  });
  // How long its migration took is kept beside the verdict, and that it was tried once.
  const [row] = await fleet.catalog<{ ms: number | null; attempts: number; ordered: boolean }>(
    `select duration_ms as ms, attempts, started_at <= finished_at as ordered
       from tenantctl_catalog.run_units where unit = 'schema:schema-2'`,
  );
  expect(row).toMatchObject({ attempts: 1, ordered: true });
  expect(row?.ms).toBeTypeOf('number');
  await fleet.close();
});
