import { describe, expect, test } from 'vitest';
import { runFailure } from '../../src/cli/run-failure.js';
import { parseSelectors } from '../../src/core/selector.js';
import { chooseColors } from '../../src/render/colors.js';
import { runReportText } from '../../src/render/run-text.js';
import { wave } from '../engine/waves/plannable.js';
import { codeOf, useFleets } from './fleets.js';
import { STEP, oneByOne } from './runs-support.js';

const fleets = useFleets();
const THREE = { pool: 0, schema: 3, database: 0 };
const PLAIN = chooseColors({ env: {}, isTTY: false, refused: false });

describe('a run that is told to stop after a wave', () => {
  test('stops there, also when it is told twice, and goes on without being told', async () => {
    const waves = [wave('canary', { max: 1 }), wave('early', { max: 1 }), wave('rest')];
    const fleet = await fleets.make(THREE, oneByOne({ waves }));
    fleet.add(STEP);
    expect(await codeOf(fleet.migrate({ wave: 'canery' }))).toBe('WAVE_UNKNOWN');
    expect(await fleet.catalog('select from tenantctl_catalog.runs')).toEqual([]);
    const told = {
      status: 'waiting',
      reason: 'it was told to stop after wave canary',
      totals: { succeeded: 1 },
    };
    expect(await fleet.migrate({ wave: 'canary' })).toMatchObject(told);
    expect(await fleet.migrate({ wave: 'canary' })).toMatchObject(told);
    expect(await codeOf(fleet.migrate({ wave: 'canery' }))).toBe('WAVE_UNKNOWN');
    expect(await fleet.migrate({ wave: 'early' })).toMatchObject({
      status: 'waiting',
      totals: { succeeded: 2 },
    });
    expect(await fleet.migrate({ wave: 'rest' })).toMatchObject({
      status: 'succeeded',
      totals: { succeeded: 3 },
    });
    expect(await codeOf(fleet.migrate({ wave: 'canery' }))).toBe('WAVE_UNKNOWN');
    for (const name of ['canary', 'early', 'rest', 'pools'])
      expect(await fleet.migrate({ wave: name })).toMatchObject({
        run: null,
        status: 'succeeded',
        reason: null,
        totals: { current: 3, pending: 0 },
      });
  });

  test('does nothing, and says so, where no unit of the wave is behind and others are', async () => {
    const waves = [wave('canary', { select: parseSelectors(['id=schema-1']) }), wave('early', { max: 1 })];
    const fleet = await fleets.make(THREE, oneByOne({ waves }));
    fleet.add(STEP);
    await fleet.migrate({ selectors: ['id=schema-1'] });
    const nothing = {
      run: null,
      status: 'succeeded',
      reason: 'no unit of wave canary is behind',
      totals: { units: 2, tenants: 2, succeeded: 0, failed: 0, pending: 2, current: 1 },
    };
    const idle = await fleet.migrate({ wave: 'canary' });
    expect(idle).toMatchObject(nothing);
    expect(runFailure(idle)).toBeUndefined();
    expect(runReportText(idle, PLAIN)).toBe(
      'nothing to do: no unit of wave canary is behind\n\n2 units not visited.',
    );
    expect(await codeOf(fleet.migrate({ wave: 'canery' }))).toBe('WAVE_UNKNOWN');
    expect(await fleet.migrate({ wave: 'early' })).toMatchObject({
      status: 'waiting',
      totals: { succeeded: 1 },
    });
    expect(await fleet.migrate({ wave: 'canary' })).toMatchObject({ ...nothing, totals: { current: 2 } });
    expect(await fleet.migrate({ wave: 'rest' })).toMatchObject({
      status: 'succeeded',
      totals: { succeeded: 2 },
    });
  });

  test('stops after the wave before where the one that it was told has no unit that is behind', async () => {
    const waves = [
      wave('canary', { max: 1 }),
      wave('early', { select: parseSelectors(['id=nobody']) }),
      wave('rest'),
    ];
    const fleet = await fleets.make(THREE, oneByOne({ waves }));
    fleet.add(STEP);
    const told = { status: 'waiting', totals: { succeeded: 1, pending: 2 } };
    expect(await fleet.migrate({ wave: 'early' })).toMatchObject(told);
    expect(await fleet.migrate({ wave: 'early' })).toMatchObject(told);
    expect(await fleet.migrate({ wave: 'pools' })).toMatchObject({
      status: 'succeeded',
      totals: { succeeded: 3 },
    });
  });
});
