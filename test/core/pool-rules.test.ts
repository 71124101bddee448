import { describe, expect, test } from 'vitest';
import { modeOf, rulesInWords, rulesOfPool, tenancyOf } from '../../src/core/pool-rules.js';
import type { FleetSettings, PoolSettings } from '../../src/core/settings.js';

const settings = (pool: Partial<PoolSettings>) =>
  ({
    tenancy: { rls: 'enforce', column: 'tenant_id' },
    clusters: { main: { pools: { shared: { name: 'shared', database: 'app', schema: 'pool', ...pool } } } },
  }) as unknown as Pick<FleetSettings, 'clusters' | 'tenancy'>;

const PLACE = { cluster: 'main', database: 'app', schema: 'pool' };

describe('what a pool does about row-level security', () => {
  test('is what its entry says, otherwise what the fleet does', () => {
    expect(rulesOfPool(settings({}), PLACE)).toEqual({ mode: 'enforce', enforce: [] });
    expect(rulesOfPool(settings({ rls: 'observe', enforce: ['note'] }), PLACE)).toEqual({
      mode: 'observe',
      enforce: ['note'],
    });
    expect(rulesOfPool(settings({ rls: 'off' }), { ...PLACE, schema: 'other' }).mode).toBe('enforce');
  });

  test('is said of each table: a list counts where the pool leaves tables as they are', () => {
    const rules = (mode: 'observe' | 'off' | 'require') => ({ mode, enforce: ['note'] });
    expect(['note', 'item'].map((table) => modeOf(rules('observe'), table))).toEqual(['enforce', 'observe']);
    expect(['note', 'item'].map((table) => modeOf(rules('off'), table))).toEqual(['enforce', 'off']);
    expect(modeOf(rules('require'), 'note')).toBe('require');
  });

  test('is what its unit is migrated under, and is told in words', () => {
    const observing = settings({ rls: 'observe', enforce: ['note', 'item'] });
    expect(tenancyOf(observing, PLACE)).toMatchObject({ rls: 'observe', enforce: ['note', 'item'] });
    expect(rulesInWords(rulesOfPool(observing, PLACE))).toBe('observe, but enforce note, item');
    expect(rulesInWords({ mode: 'enforce', enforce: ['note'] })).toBe('enforce');
  });
});
