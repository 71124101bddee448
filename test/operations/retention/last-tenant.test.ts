import { expect, it } from 'vitest';
import { offboardTenant } from '../../../src/operations/offboard/offboard.js';
import { provisionTenant } from '../../../src/operations/provision.js';
import { runRetention } from '../../../src/operations/retention/run.js';
import { newFleet } from '../../support/fleet.js';
import { useServer } from '../../support/server.js';

const server = useServer();

it.each(['database', 'schema'] as const)(
  'the only tenant of a cluster, in tier %s, is deleted with a certificate',
  async (tier) => {
    const { fleet } = await newFleet(server.current);
    await provisionTenant(fleet, { id: 'only', tier, cluster: 'main' });
    await offboardTenant(fleet, { id: 'only', retainMs: 0, withoutExport: true }, { dryRun: false });
    const { deleted, failed } = await runRetention(fleet, { ids: [] });
    expect(failed).toEqual([]);
    expect(deleted).toMatchObject([{ tenant: 'only' }]);
  },
);
