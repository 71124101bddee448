import { describe, expect, it } from 'vitest';
import { TIERS, type Tier } from '../../../src/core/tier.js';
import { verifyBag } from '../../../src/engine/bag/verify.js';
import { useServer } from '../../support/server.js';
import { exportingFleet } from './fleet.js';
import { expectedSums, loadExport } from './load.js';

const server = useServer();

describe.each(TIERS)('whatever the rows of a tenant in tier %s are', (tier: Tier) => {
  it.each([
    ['csv', false],
    ['ndjson', true],
  ] as const)('%s holds every value (gzip: %s)', async (format, gzip) => {
    const fleet = await exportingFleet(server.current);
    await fleet.tenant('neighbour', tier);
    await fleet.tenant('acme', tier);
    const { directory, manifest } = await fleet.export('acme', { format, gzip });
    expect((await verifyBag(directory)).differences).toEqual([]);
    const loaded = await loadExport(server.current, directory);
    expect(loaded.sums).toEqual(expectedSums(manifest));
  });
});
