import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import { isTenantctlError } from '../../src/core/errors.js';
import { NO_LIMITS } from '../../src/core/settings.js';
import { Fleet } from '../../src/engine/context.js';
import { provisionTenant } from '../../src/operations/provision.js';
import { installFleet } from '../../src/operations/install.js';
import { showTenant } from '../../src/operations/show.js';
import { findTenant } from '../../src/engine/catalog/tenants.js';
import { setTenant } from '../../src/operations/set.js';
import { suspendTenant } from '../../src/operations/suspend.js';
import { newFleet } from '../support/fleet.js';
import { query, useServer } from '../support/server.js';

const server = useServer();
const NO = { dryRun: false };

test.each(['schema', 'database'] as const)(
  'a role of the same name in tier %s, which another fleet on the cluster has, is refused before anything is written down',
  async (tier) => {
    const first = await newFleet(server.current);
    const tenancy = { ...first.settings.tenancy };
    tenancy.names = { schema: tenancy.names.schema, database: tenancy.names.schema };
    await provisionTenant(first.fleet, { id: 'acme', tier: 'schema' });
    const second = await newFleet(server.current, { tenancy });
    const refused = await provisionTenant(second.fleet, { id: 'acme', tier }).catch(
      (error: unknown) => error,
    );
    expect(isTenantctlError(refused) && refused).toMatchObject({ code: 'PLACE_TAKEN', exit: 5 });
    expect((refused as Error).message).toContain('Role ');
    await second.fleet.catalog(async (connection) =>
      expect(await findTenant(connection, 'acme')).toBeUndefined(),
    );
  },
);

test('what is said of a new tenant, of a half-made one and of one that is there is what the catalog has', async () => {
  const { fleet, settings } = await newFleet(server.current);
  const request = {
    id: 'acme',
    tier: 'schema',
    owner: 'a@x.example',
    labels: { zone: '1', ab: '2', a: '3' },
  } as const;
  const dying = new Fleet(settings, {
    ...fleet.options,
    reach: (point) => {
      if (point === 'provision.recorded') throw new Error('killed');
    },
  });
  const { tenant: made } = await provisionTenant(fleet, request);
  expect(JSON.stringify(made)).toBe(JSON.stringify((await showTenant(fleet, 'acme')).tenant));
  expect(made).toMatchObject({ status: 'active', epoch: 1, version: { id: 14 } });
  expect((await provisionTenant(fleet, request)).tenant).toEqual(made);
  await expect(provisionTenant(dying, { ...request, id: 'half' })).rejects.toThrow('killed');
  await dying.close();
  const { tenant: finished } = await provisionTenant(fleet, { ...request, id: 'half' });
  expect(JSON.stringify(finished)).toBe(JSON.stringify((await showTenant(fleet, 'half')).tenant));
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
