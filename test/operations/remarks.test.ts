import { expect, test } from 'vitest';
import { provisionTenant } from '../../src/operations/provision.js';
import { rollback } from '../../src/operations/rollback.js';
import { type SmallFleet, useFleets } from './fleets.js';
import { addReversible } from './runs-support.js';

const fleets = useFleets();

/** What processes, each with a fleet of its own, tell of the files. */
async function toldBy(
  fleet: SmallFleet,
  ...works: ((process: ReturnType<SmallFleet['process']>) => unknown)[]
) {
  const told: string[] = [];
  for (const work of works) {
    const onEvent = (event: { type: string; code?: string; message?: string }) =>
      event.code === 'MIGRATION_REMARK' && told.push(event.message ?? '');
    await work(fleet.process({ onEvent }));
  }
  return told;
}

test('what should be looked at in a file is told until a unit has it, and by no run or unit after that', async () => {
  const fleet = await fleets.make({ pool: 0, schema: 2, database: 0 });
  addReversible(
    fleet,
    3,
    "create table made (); do $$ begin perform from pg_tables where schemaname = 'public'; end $$;",
    'drop table made;',
  );
  const migrate = (process: ReturnType<SmallFleet['process']>) => fleet.migrate({ fleet: process });
  const doubt = expect.stringMatching(/^0003_step.sql:1:\d+: names schema public in a string$/) as string;
  expect(await toldBy(fleet, migrate)).toEqual([doubt]);
  const back = { select: [], to: '2', allowDataLoss: true, wait: false, dryRun: true };
  expect(
    await toldBy(
      fleet,
      migrate,
      (process) => provisionTenant(process, { id: 'schema-3', tier: 'schema' }),
      (process) => rollback(process, back),
    ),
  ).toEqual([]);
  await fleet.close();
});
