import { expect, test } from 'vitest';
import type { FleetEvent } from '../../src/core/events.js';
import { approveRun } from '../../src/operations/runs/approve.js';
import { resumeRun } from '../../src/operations/runs/resume.js';
import { showRun } from '../../src/operations/runs/show.js';
import { watchRun } from '../../src/operations/runs/watch.js';
import { wave } from '../engine/waves/plannable.js';
import { useFleets } from './fleets.js';
import { AT_BARRIER, GO, STEP, closeBarrier, oneByOne, schemaOf } from './runs-support.js';

const fleets = useFleets();
const anyTime = { durationMs: expect.any(Number) };

test('a run is watched from another terminal to the same report, every unit and wave seen once', async () => {
  const waves = [wave('canary', { max: 1 }), wave('rest')];
  const fleet = await fleets.make(
    { pool: 1, schema: 3, database: 0 },
    oneByOne({ waves, lockTimeoutMs: 60_000 }),
  );
  await fleet.shared(`create table "${schemaOf(fleet, 'schema-2')}".taken ()`);
  fleet.add(`${AT_BARRIER} create table taken ();`);
  const barrier = await closeBarrier(fleet);
  const running = fleet.migrate();
  await barrier.reached();
  const seen: FleetEvent[] = [];
  const watching = watchRun(fleet.process({ onEvent: (event) => seen.push(event) }), undefined);
  await barrier.open();
  const report = await running;
  expect(report).toMatchObject({ status: 'partial', totals: { succeeded: 3, failed: 1 } });
  expect(await watching).toEqual({ ...report, ...anyTime });
  expect(await showRun(fleet.fleet, report.run?.slice(0, 8))).toEqual({ ...report, ...anyTime });

  const shown = (events: readonly FleetEvent[]) =>
    events
      .flatMap((event) => {
        if (event.type === 'unit.finished')
          return `${event.unit} ${event.outcome} ${event.fault?.code ?? ''}`;
        if (event.type === 'unit.started') return `${event.unit} in ${event.wave}`;
        if (event.type === 'wave.started') return `${event.wave} of ${event.units}`;
        if (event.type === 'wave.finished') return `${event.wave} ${event.succeeded}/${event.failed}`;
        if (event.type === 'run.finished') return `run ${event.status}`;
        return [];
      })
      .sort();
  const driven = fleet.events.slice(fleet.events.findIndex(({ type }) => type === 'run.started'));
  expect(shown(seen)).toEqual(shown(driven));
  expect(seen[0]).toMatchObject({ type: 'run.started', units: 4 });
  expect(seen.at(-1)).toMatchObject({ type: 'run.finished', totals: report.totals });
  await fleet.close();
});

test('a run that waits is watched while it waits only where a process goes on with it', async () => {
  const fleet = await fleets.make(
    { pool: 0, schema: 2, database: 0 },
    oneByOne({ waves: [wave('canary', { max: 1, approve: true })] }),
  );
  fleet.add(STEP);
  const report = await fleet.migrate();
  expect(await watchRun(fleet.process({}), undefined)).toEqual({ ...report, ...anyTime });
  await approveRun(fleet.fleet, undefined, false);
  const done = await resumeRun(fleet.fleet, undefined, GO);
  expect(await watchRun(fleet.process({}), undefined)).toEqual({ ...done, ...anyTime });
  await fleet.close();
});
