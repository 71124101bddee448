import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import { isTenantctlError } from '../../src/core/errors.js';
import { NO_LIMITS } from '../../src/core/settings.js';
import { Fleet } from '../../src/engine/context.js';
import { provisionTenant } from '../../src/operations/provision.js';
import { installFleet } from '../../src/operations/install.js';
import { setTenant } from '../../src/operations/set.js';
import { suspendTenant } from '../../src/operations/suspend.js';
import { newFleet } from '../support/fleet.js';
import { query, useServer } from '../support/server.js';

const server = useServer();
const NO = { dryRun: false };

test('another fleet on the same cluster does not take over a role of the same name', async () => {
  const first = await newFleet(server.current);
  await provisionTenant(first.fleet, { id: 'acme', plan: 'pro' });
  const second = await newFleet(server.current, { tenancy: first.settings.tenancy });
  const refused = await provisionTenant(second.fleet, { id: 'acme', plan: 'pro' }).catch(
    (error: unknown) => error,
  );
  expect(isTenantctlError(refused) && refused).toMatchObject({ code: 'PLACE_TAKEN', exit: 5 });
});

test('a home that was found suspended is suspended in the catalog too', async () => {
  const { fleet, settings } = await newFleet(server.current);
  const { tenant } = await provisionTenant(fleet, { id: 'acme', plan: 'pro' });
  await suspendTenant(fleet, 'acme', NO);
  const lost = new Fleet({ ...settings, catalogUrl: `${settings.catalogUrl}_again` }, fleet.options);
  await installFleet(lost);
  const found = await provisionTenant(lost, { id: 'acme', plan: 'pro', key: tenant.key });
  await lost.close();
  expect(found.tenant).toMatchObject({ id: 'acme', status: 'suspended', key: tenant.key });
});

test('what was set on a half-made tenant holds in its home as well', async () => {
  const big = { connections: 3, statementTimeoutMs: 7_000, storageBytes: null };
  const plan = { tier: 'schema', cluster: null, pool: null, region: null, labels: {} } as const;
  const { fleet, settings } = await newFleet(server.current, {
    plans: { pro: { name: 'pro', ...plan, limits: NO_LIMITS }, big: { name: 'big', ...plan, limits: big } },
  });
  const dying = new Fleet(settings, {
    ...fleet.options,
    reach: (point) => {
      if (point === 'provision.migrated') throw new Error('killed');
    },
  });
  await expect(provisionTenant(dying, { id: 'half', plan: 'pro' })).rejects.toThrow('killed');
  await dying.close();
  await setTenant(fleet, 'half', { plan: 'big', owner: 'new@x.example', labels: { z: '1' } }, NO);
  const { tenant } = await provisionTenant(fleet, { id: 'half' });
  expect(tenant).toMatchObject({ status: 'active', plan: 'big' });
  const [home] = await query(
    server.current.superuserUrl(tenant.database),
    `select p.plan, p.owner, p.labels, r.rolconnlimit as "connections"
       from tenantctl.placement p join pg_roles r on r.rolname = p.role where p.tenant = 'half'`,
  );
  expect(home).toEqual({ plan: 'big', owner: 'new@x.example', labels: { z: '1' }, connections: 3 });
});

test('two calls at once run an owed hook once', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'tenantctl-hook-'));
  const log = path.join(folder, 'log');
  writeFileSync(log, '');
  const made = await newFleet(server.current, {
    hooks: [['/bin/sh', '-c', `cat >/dev/null; echo run >> ${log}`]],
  });
  const calls = [made.fleet, made.another()].map((fleet) =>
    provisionTenant(fleet, { id: 'acme', plan: 'free' }),
  );
  const created = (await Promise.all(calls)).map((outcome) => outcome.created);
  expect(created.toSorted()).toEqual([false, true]);
  expect(readFileSync(log, 'utf8')).toBe('run\n');
  rmSync(folder, { recursive: true });
});
