import { EventEmitter, once } from 'node:events';
import { describe, expect, it } from 'vitest';
import type { Emit } from '../../src/core/events.js';
import { listTenants } from '../../src/operations/list.js';
import { provisionTenant } from '../../src/operations/provision.js';
import { installFleet } from '../../src/operations/install.js';
import { LOCK_CLASS } from '../../src/pg/locks.js';
import { fleetSettings, newFleet } from '../support/fleet.js';
import { query, useServer, withClient } from '../support/server.js';
import { PLANS, PLAN_OF, statuses, withFleet } from './provision-support.js';

const server = useServer();

describe('two at once for one id', () => {
  it.each(PLANS)('end with one tenant, made by one of them, in tier %s', async (_, plan) => {
    const { fleet, settings, another } = await newFleet(server.current);
    const request = { id: 'acme', plan };
    const both = await Promise.all([fleet, another()].map((view) => provisionTenant(view, request)));
    expect(both.map(({ created }) => created).toSorted()).toEqual([false, true]);
    expect(both[0]?.tenant).toEqual(both[1]?.tenant);
    const done = `select count(*)::int as n from tenantctl_catalog.audit where action = 'tenant.provision' group by phase`;
    expect(await query(settings.catalogUrl, done)).toEqual([{ n: 1 }, { n: 1 }]);
  });

  it('wait for each other and say so', async () => {
    const { settings } = await newFleet(server.current);
    await withClient(settings.catalogUrl, async (holder) => {
      await holder.query('select pg_advisory_lock($1, hashtext($2))', [LOCK_CLASS.tenant, 'acme']);
      const events = new EventEmitter();
      const emit: Emit = (event) => events.emit(event.type, event);
      await withFleet(settings, { emit }, async (fleet) => {
        const notice = once(events, 'notice');
        const provisioned = provisionTenant(fleet, { id: 'acme', plan: 'free' });
        expect(await notice).toMatchObject([{ code: 'TENANT_LOCKED' }]);
        expect(await statuses(fleet)).toEqual({});
        await holder.query('select pg_advisory_unlock_all()');
        expect(await provisioned).toMatchObject({ created: true });
      });
    });
  });

  it('with different wishes: the later one is refused', async () => {
    const { fleet, another } = await newFleet(server.current);
    const views = [fleet, another(), another()];
    const results = await Promise.allSettled(
      PLANS.map(([, plan], at) => provisionTenant(views[at] ?? fleet, { id: 'acme', plan })),
    );
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    for (const result of results) {
      if (result.status === 'rejected')
        expect(result.reason).toMatchObject({ code: 'TENANT_DIFFERS', exit: 5 });
    }
    expect(await statuses(fleet)).toEqual({ acme: 'active' });
  });
});

describe('many at once', () => {
  it('of every tier, the first of a fleet: 20 from each of two processes', async () => {
    const { fleet, another } = await newFleet(server.current);
    const other = another();
    const ids = Array.from({ length: 20 }, (_, at) => `t${String(at).padStart(2, '0')}`);
    const work = [fleet, other].flatMap((view, process) =>
      ids.map((id, at) => {
        const [, plan] = PLANS[at % PLANS.length] ?? PLANS[0];
        return provisionTenant(view, { id: `${id}-${process}`, plan });
      }),
    );
    const made = await Promise.all(work);
    expect(made.every(({ created, tenant }) => created && tenant.status === 'active')).toBe(true);
    const { tenants } = await listTenants(fleet, { select: [], limit: 100, after: null });
    expect(new Set(tenants.map(({ key }) => key)).size).toBe(40);
    expect(tenants.every(({ version }) => version?.name === '0014_activity_2027')).toBe(true);
  });

  it('are more than there are connections to the catalog', async () => {
    const { fleet } = await newFleet(server.current, { seed: null });
    const ids = Array.from({ length: 40 }, (_, at) => `t${at}`);
    const made = await Promise.all(ids.map((id) => provisionTenant(fleet, { id, plan: PLAN_OF.database })));
    expect(made.filter(({ created }) => created)).toHaveLength(40);
  });

  it.each(PLANS)('get along with a budget of two connections in tier %s', async (_, plan) => {
    const { settings } = await newFleet(server.current, { seed: null });
    const main = { ...settings.clusters['main']!, maxConnections: 2, maxPerDatabase: 1 };
    await withFleet({ ...settings, clusters: { main } }, {}, async (fleet) => {
      const made = await Promise.all(['a', 'b', 'c'].map((id) => provisionTenant(fleet, { id, plan })));
      expect(made.every(({ created }) => created)).toBe(true);
    });
  });
});

it('two processes find one new database, and one of them makes it ready', async () => {
  const { fleet, settings, another } = await newFleet(server.current, { seed: null });
  const { schemaDatabase } = settings.clusters['main']!;
  await query(settings.catalogUrl, `create database ${schemaDatabase}`);
  await withClient(server.current.adminUrl(schemaDatabase), async (holder) => {
    await holder.query('select pg_advisory_lock($1, 0)', [LOCK_CLASS.install]);
    const views = [fleet, another()];
    const both = Promise.all(views.map((view, at) => provisionTenant(view, { id: `t${at}`, plan: 'pro' })));
    const waiting = 'select from pg_locks where not granted and classid = $1';
    while ((await holder.query(waiting, [LOCK_CLASS.install])).rowCount !== views.length);
    await holder.query('select pg_advisory_unlock_all()');
    expect((await both).map(({ created }) => created)).toEqual([true, true]);
  });
});

it('two processes install one catalog together', async () => {
  const settings = {
    ...fleetSettings(server.current, 0),
    catalogUrl: server.current.adminUrl('catalog_together'),
  };
  const created = await Promise.all(
    [1, 2].map(() => withFleet(settings, {}, async (fleet) => (await installFleet(fleet)).created.length)),
  );
  expect(Math.min(...created)).toBe(0);
  expect(Math.max(...created)).toBeGreaterThan(0);
});
