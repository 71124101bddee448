import { expect, it } from 'vitest';
import { policyAdvice } from '../../../src/engine/isolation/advice.js';
import { foreignRowsRead } from '../../../src/engine/isolation/probes/foreign-rows-read.js';

const SCENE = {
  schema: 'app',
  role: 'app_user',
  conditions: { fleet: 'the fleet', tenant: new Map([['uuid', 'the tenant lives here']]) },
  fleet: { settings: { tenancy: { appRole: 'app_user', column: 'tenant_id', setting: 'app.tenant_id' } } },
};
const TABLE = {
  schema: 'app',
  qualified: 'app.note',
  rowSecurity: true,
  forced: true,
  ownedByRole: false,
  tenanted: true,
  owner: 'admin',
  toolPolicies: ['tenantctl_fleet'],
  columns: [{ name: 'tenant_id', type: 'uuid' }],
};

const adviceFor = (policies: string[]) =>
  policyAdvice(SCENE as never, { ...TABLE, policies } as never, foreignRowsRead);

it('gives no policy against a role that no policy binds, and names the findings that mend it', () => {
  const { hint, facts } = adviceFor([]);
  expect(facts.sql).toBeUndefined();
  expect(hint).toContain('role-bypasses');
});

it('gives a restrictive policy against one that admits too much', () => {
  const { facts } = adviceFor(['readers: true']);
  expect(facts.sql).toEqual([
    'drop policy if exists tenantctl_guard on app.note',
    expect.stringContaining(
      'as restrictive for all to "app_user", "admin" using ((the fleet) or (the tenant lives here))',
    ),
  ]);
});
