import { expect, test } from 'vitest';
import { activateTenant } from '../../../src/operations/activate.js';
import { offboardTenant } from '../../../src/operations/offboard/offboard.js';
import { suspendTenant } from '../../../src/operations/suspend.js';
import { useServer } from '../../support/server.js';
import { doctorFleet, rulesOf } from './support.js';

const server = useServer();

test.each(['pool', 'schema'] as const)(
  'a home of tier %s that a killed replacement has left shut is found, with what opens it',
  async (tier) => {
    const made = await doctorFleet(server.current);
    const { database } = await made.tenant('acme', tier, 3);
    await made.inside(database, `update tenantctl.placement set state = 'suspended' where tenant = 'acme'`);
    const findings = await made.findings();
    expect(rulesOf(findings)).toEqual(['admission-differs error']);
    expect(findings[0]).toMatchObject({
      facts: { tenant: 'acme', state: 'suspended', status: 'active' },
      hint: expect.stringContaining('tenantctl activate acme') as string,
    });
    await activateTenant(made.fleet, 'acme', { dryRun: false });
    expect(await made.findings()).toEqual([]);
    await suspendTenant(made.fleet, 'acme', { dryRun: false });
    expect(await made.findings()).toEqual([]);
  },
);

test.each(['pool', 'schema', 'database'] as const)(
  'a home of tier %s that serves a tenant who leaves, as a backup brings it back, is closed by --fix',
  async (tier) => {
    const made = await doctorFleet(server.current);
    const { database, schema } = await made.tenant('leaver', tier, 3);
    await offboardTenant(made.fleet, { id: 'leaver', withoutExport: true }, { dryRun: false });
    await made.inside(
      database,
      `update tenantctl.placement set state = 'active', status = 'active' where tenant = 'leaver' and schema = '${schema}'`,
    );
    expect((await made.findings()).map(({ rule, facts }) => [rule, facts['fixable']])).toEqual([
      ['admission-differs', true],
    ]);
    expect(rulesOf((await made.fix()).fixed)).toEqual(['admission-differs error']);
    expect(await made.findings()).toEqual([]);
    expect((await made.show('leaver')).status).toBe('offboarding');
  },
);
