import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { requireTenant } from '../../src/engine/catalog/tenants.js';
import { openHome } from '../../src/engine/tiers/session.js';
import { type ClusterSettings, type FleetSettings, type PlanSettings } from '../../src/core/settings.js';
import { homeOf } from '../../src/operations/home.js';
import { provisionTenant } from '../../src/operations/provision.js';
import { provisionMany } from '../../src/operations/provision-many.js';
import { sql } from '../../src/pg/sql.js';
import { newFleet } from '../support/fleet.js';
import { query, useServer } from '../support/server.js';
import { Crash, PLANS, crashAt, everything, statuses, withFleet } from './provision-support.js';

const server = useServer();

/** The same server under two names, each with databases of its own. */
async function twoClusters(): Promise<FleetSettings> {
  const { settings } = await newFleet(server.current, { seed: null });
  const main = settings.clusters['main']!;
  const n = settings.tenancy.appRole;
  const pool = (name: string) => ({ name, database: `${n}_${name}`, schema: 'app' });
  const cluster = (name: string, region: string, more: Partial<ClusterSettings>): ClusterSettings => ({
    ...main,
    name,
    region,
    schemaDatabase: `${n}_${name}`,
    ...more,
  });
  const plan = (name: string, more: Partial<PlanSettings>): PlanSettings => ({
    ...settings.plans['free']!,
    name,
    ...more,
  });
  return {
    ...settings,
    clusters: {
      east: cluster('east', 'us', { labels: { ring: 'canary' }, pools: { e1: pool('e1') } }),
      west: cluster('west', 'eu', { labels: { ring: 'late' }, pools: { w1: pool('w1'), w2: pool('w2') } }),
    },
    plans: {
      free: plan('free', {}),
      pro: plan('pro', { tier: 'schema' }),
      eu: plan('eu', { tier: 'schema', region: 'eu' }),
      canary: plan('canary', { tier: 'schema', labels: { ring: 'canary' } }),
      named: plan('named', { cluster: 'west', pool: 'w2' }),
      nowhere: plan('nowhere', { tier: 'schema', region: 'eu', labels: { ring: 'canary' } }),
    },
  };
}

describe('a place', () => {
  it('that another half-made tenant is to have is refused by the catalog, and nothing of a home is left', async () => {
    const { settings } = await newFleet(server.current, {
      seed: null,
      tenancy: { names: { schema: 'the_same', database: '{id}' } },
    });
    const killed = { reach: crashAt('provision.recorded') };
    await withFleet(settings, killed, async (fleet) => {
      await expect(provisionTenant(fleet, { id: 'first', tier: 'schema' })).rejects.toThrow(Crash);
    });
    await withFleet(settings, {}, async (fleet) => {
      await expect(provisionTenant(fleet, { id: 'second', tier: 'schema' })).rejects.toMatchObject({
        code: 'PLACE_TAKEN',
        exit: 5,
      });
      expect(await statuses(fleet)).toEqual({ first: 'provisioning' });
      const { tenant } = await provisionTenant(fleet, { id: 'first', tier: 'schema' });
      expect(tenant.status).toBe('active');
    });
  });

  it('is the emptiest that fits, pool by pool and cluster by cluster', async () => {
    const settings = await twoClusters();
    await withFleet(settings, {}, async (fleet) => {
      const place = async (id: string, plan: string) => {
        const { tenant } = await provisionTenant(fleet, { id, plan });
        return tenant.pool ?? tenant.cluster;
      };
      expect(
        [await place('p1', 'free'), await place('p2', 'free'), await place('p3', 'free')].toSorted(),
      ).toEqual(['e1', 'w1', 'w2']);
      expect(await place('s1', 'pro')).toBe('east');
    });
    // Another process counts what this one has placed: east holds 2 tenants, west 2.
    await withFleet(settings, {}, async (fleet) => {
      const { tenant } = await provisionTenant(fleet, { id: 's2', plan: 'pro', cluster: 'west' });
      expect(tenant.cluster).toBe('west');
      expect(await provisionTenant(fleet, { id: 's3', plan: 'pro' })).toMatchObject({
        tenant: { cluster: 'east' },
      });
    });
  });

  it('fits region, labels, cluster and pool of the plan and of the call', async () => {
    await withFleet(await twoClusters(), {}, async (fleet) => {
      for (const at of [1, 2, 3]) {
        expect(await provisionTenant(fleet, { id: `eu${at}`, plan: 'eu' })).toMatchObject({
          tenant: { cluster: 'west' },
        });
      }
      expect(await provisionTenant(fleet, { id: 'canary', plan: 'canary' })).toMatchObject({
        tenant: { cluster: 'east' },
      });
      expect(await provisionTenant(fleet, { id: 'named', plan: 'named' })).toMatchObject({
        tenant: { pool: 'w2' },
      });
      expect(await provisionTenant(fleet, { id: 'asked', plan: 'free', pool: 'w1' })).toMatchObject({
        tenant: { pool: 'w1' },
      });
    });
  });

  it.each([
    [{ plan: 'nowhere' }, 'plan nowhere, region eu, label ring=canary'],
    [{ plan: 'eu', cluster: 'east' }, 'cluster east'],
    [{ plan: 'free', pool: 'w9' }, 'pool w9'],
    [{ tier: 'schema' as const, cluster: 'north' }, 'cluster north'],
    [{ plan: 'named', cluster: 'east' }, 'cluster east'],
  ])('that does not exist is refused, repeating the wish, and nothing is written: %j', async (wish, said) => {
    const settings = await twoClusters();
    const before = await everything(server.current, settings);
    await withFleet(settings, {}, async (fleet) => {
      await expect(provisionTenant(fleet, { id: 'acme', ...wish })).rejects.toMatchObject({
        code: 'NO_PLACE',
        exit: 5,
        message: expect.stringContaining(said) as string,
        hint: expect.stringContaining('east, west') as string,
      });
    });
    expect(await everything(server.current, settings)).toEqual(before);
  });

  it('is shared out evenly to a list of tenants', async () => {
    const settings = await twoClusters();
    await withFleet(settings, {}, async (fleet) => {
      async function* rows() {
        for (let line = 2; line < 32; line += 1) yield { line, request: { id: `t${line}`, plan: 'free' } };
      }
      expect(await provisionMany(fleet, rows(), { dryRun: false })).toMatchObject({
        created: 30,
        failed: [],
      });
    });
    const counts = `select pool, count(*)::int as n from tenantctl_catalog.placements group by pool order by pool`;
    expect(await query(settings.catalogUrl, counts)).toEqual(
      ['e1', 'w1', 'w2'].map((pool) => ({ pool, n: 10 })),
    );
  });
});

/** What a hand in the catalog does: the row is gone, triggers or not. */
async function deleteByHand(settings: FleetSettings, id: string): Promise<void> {
  const tables = ['hook_deliveries', 'placements', 'tenants'].map((name) => `tenantctl_catalog.${name}`);
  const off = tables.map((table) => `alter table ${table} disable trigger user;`);
  const gone = tables.map(
    (table) => `delete from ${table} where ${table.endsWith('tenants') ? 'id' : 'tenant'} = '${id}';`,
  );
  const on = tables.map((table) => `alter table ${table} enable trigger user;`);
  await query(settings.catalogUrl, [...off, ...gone, ...on].join(''));
}

describe.each(PLANS)('a catalog row deleted by hand, tier %s', (_, plan) => {
  it('is not made again over the home that is there, and is with the key of that home, its rows kept', async () => {
    const { fleet, settings, another } = await newFleet(server.current);
    const { tenant } = await provisionTenant(fleet, { id: 'acme', plan });
    const home = homeOf(fleet, await fleet.catalog((c) => requireTenant(c, 'acme')));
    const emails = () =>
      openHome(fleet, home, (session) => session.rows(sql`select email from app_user order by 1`));
    await openHome(fleet, home, (session) =>
      session.execute(
        sql`insert into app_user (email, full_name, role) values ('jo@acme.example', 'Jo', 'viewer')`,
      ),
    );
    await deleteByHand(settings, 'acme');
    const before = await everything(server.current, settings);

    for (const key of [undefined, randomUUID()]) {
      const request = { id: 'acme', plan, ...(key === undefined ? {} : { key }) };
      await expect(provisionTenant(another(), request)).rejects.toMatchObject({
        code: 'PLACE_HELD',
        exit: 5,
        hint: expect.stringContaining(`--tenant-key ${tenant.key}`) as string,
      });
    }
    expect(await everything(server.current, settings)).toEqual(before);
    expect(await emails()).toHaveLength(2);

    const again = await provisionTenant(another(), { id: 'acme', plan, key: tenant.key });
    expect(again).toMatchObject({ created: true, tenant: { id: 'acme', key: tenant.key, status: 'active' } });
    expect(await emails()).toHaveLength(2);
  });
});

describe('something of that name that the tool did not make', () => {
  it.each([
    ['pro', (n: string) => `create schema t${n}_acme; create table t${n}_acme.precious as select 1 as a`],
    ['enterprise', (n: string) => `create database d${n}_acme`],
  ])('is never taken over, and leaves no tenant behind: plan %s', async (plan, make) => {
    const { fleet, settings } = await newFleet(server.current);
    const n = settings.tenancy.appRole.replace('app_user_', '');
    await provisionTenant(fleet, { id: 'first', plan });
    const database = plan === 'pro' ? `app_shared_${n}` : 'postgres';
    await query(server.current.adminUrl(database), make(n));
    const before = await everything(server.current, settings);
    const refused = { code: 'PLACE_TAKEN', exit: 5 };
    await expect(provisionTenant(fleet, { id: 'acme', plan })).rejects.toMatchObject(refused);
    expect(await everything(server.current, settings)).toEqual(before);
    expect(await statuses(fleet)).toEqual({ first: 'active' });
  });

  it('rows in a pool with the key that was asked for are somebody’s', async () => {
    const { fleet, settings } = await newFleet(server.current);
    const { tenant } = await provisionTenant(fleet, { id: 'acme', plan: 'free' });
    await deleteByHand(settings, 'acme');
    await query(server.current.adminUrl(tenant.database), 'delete from tenantctl.placement');
    const taken = provisionTenant(fleet, { id: 'beta', plan: 'free', key: tenant.key });
    await expect(taken).rejects.toMatchObject({ code: 'PLACE_TAKEN', exit: 5 });
    expect(await statuses(fleet)).toEqual({});
  });
});
