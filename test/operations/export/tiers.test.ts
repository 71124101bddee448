import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { TIERS, type Tier } from '../../../src/core/tier.js';
import { verifyBag } from '../../../src/engine/bag/verify.js';
import { type Exported, exportTenant } from '../../../src/operations/export.js';
import { provisionTenant } from '../../../src/operations/provision.js';
import { newFleet } from '../../support/fleet.js';
import { newFolder } from '../../support/folder.js';
import { useServer } from '../../support/server.js';
import { expectedSums, loadExport } from './load.js';

const server = useServer();

describe.each(TIERS)('a tenant of the sample product in tier %s', (tier: Tier) => {
  it.each(['csv', 'ndjson'] as const)(
    'is exported as %s, verified, and loaded with nothing but PostgreSQL',
    async (format) => {
      const { fleet } = await newFleet(server.current);
      await provisionTenant(fleet, { id: 'acme', tier });
      const directory = join(newFolder(), 'acme');
      const exported = (await exportTenant(
        fleet,
        { id: 'acme', directory, format },
        { dryRun: false },
      )) as Exported;
      const report = await verifyBag(directory);
      expect(report.differences).toEqual([]);
      const loaded = await loadExport(server.current, directory);
      expect(loaded.sums).toEqual(expectedSums(exported.manifest));
    },
  );
});
