import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { type ProvisionRequest, provision, provisionTenant } from '../../src/operations/provision.js';
import { installFleet } from '../../src/operations/install.js';
import { listTenants } from '../../src/operations/list.js';
import { openHome } from '../../src/engine/tiers/session.js';
import { sql } from '../../src/pg/sql.js';
import { homeOf } from '../../src/operations/home.js';
import { requireTenant } from '../../src/engine/catalog/tenants.js';
import { fleetSettings, newFleet } from '../support/fleet.js';
import { query, useServer } from '../support/server.js';
import { Crash, PLANS, crashAt, everything, statuses, withFleet } from './provision-support.js';

const server = useServer();
const REAL = { dryRun: false };

describe('the same call again', () => {
  it.each(PLANS)('answers created:false and changes nothing in tier %s', async (_, plan) => {
    const { fleet, settings, another } = await newFleet(server.current);
    const request = { id: 'acme', plan, owner: 'jo@acme.example', labels: { ring: 'canary' } };
    const first = await provisionTenant(fleet, request);
    const before = await everything(server.current, settings);
    for (const view of [fleet, another()]) {
      const again = await provisionTenant(view, request);
      expect(again).toMatchObject({ created: false, tenant: first.tenant });
    }
    expect(await provisionTenant(fleet, { id: 'acme' })).toMatchObject({ created: false });
    expect(await everything(server.current, settings)).toEqual(before);
    expect(first).toMatchObject({
      created: true,
      tenant: { status: 'active', plan, labels: { ring: 'canary' } },
    });
  });

  it('with something else is refused, naming it, and nothing is changed', async () => {
    const others: [string, Partial<ProvisionRequest>][] = [
      ['tier', { tier: 'database' }],
      ['plan', { plan: 'enterprise' }],
      ['plan', { plan: 'PRO' }],
      ['key', { key: randomUUID() }],
      ['owner', { owner: 'eve@other.example' }],
      ['cluster', { cluster: 'other' }],
      ['pool', { pool: 'shared' }],
    ];
    const { fleet, settings } = await newFleet(server.current);
    await provisionTenant(fleet, { id: 'acme', plan: 'pro', owner: 'jo@acme.example' });
    const before = await everything(server.current, settings);
    for (const [what, other] of others) {
      await expect(provisionTenant(fleet, { id: 'acme', ...other })).rejects.toMatchObject({
        code: 'TENANT_DIFFERS',
        exit: 5,
        message: expect.stringContaining(`its ${what} is`) as string,
      });
    }
    expect(await everything(server.current, settings)).toEqual(before);
  });

  it('of a suspended tenant leaves it suspended', async () => {
    const { fleet, settings } = await newFleet(server.current, { seed: null });
    await provisionTenant(fleet, { id: 'acme', plan: 'free' });
    await query(settings.catalogUrl, `update tenantctl_catalog.tenants set status = 'suspended'`);
    expect(await provisionTenant(fleet, { id: 'acme' })).toMatchObject({
      created: false,
      tenant: { status: 'suspended' },
    });
  });
});

describe('an id', () => {
  /** Nobody listens there: an id that got as far as a connection would fail with exit 4. */
  const unreachable = () => {
    const settings = fleetSettings(server.current, 0);
    const url = 'postgresql://nobody:none@127.0.0.1:1/none';
    const main = { ...settings.clusters['main']!, url };
    return { ...settings, catalogUrl: url, clusters: { main } };
  };

  it.each([
    'a"; drop schema x; --',
    "a'; drop table tenants; --",
    '../x',
    'a'.repeat(300),
    'a'.repeat(49),
    '\u0430cme',
    'acm\u0435',
    'ａcme',
    'acme\u200b',
    'acme\n',
    'acme\0',
    'Acme',
    'pg_x',
    'public',
    'template1',
    'tenantctl',
    '',
    '-x',
    '_x',
    '{id}',
    'a b',
    '%',
  ])('%j is refused before any connection is used', async (id) => {
    await withFleet(unreachable(), {}, async (fleet) => {
      for (const dryRun of [false, true]) {
        const refused = provision(fleet, { id, tier: 'schema' }, { dryRun });
        await expect(refused).rejects.toMatchObject({ code: 'TENANT_ID_INVALID', exit: 2 });
      }
    });
  });

  it('would have needed a connection, were it good', async () => {
    await withFleet(unreachable(), {}, async (fleet) => {
      await expect(provisionTenant(fleet, { id: 'acme', tier: 'schema' })).rejects.toMatchObject({ exit: 4 });
    });
  });

  it.each(PLANS)('may be any short slug in tier %s, words of SQL included', async (_, plan) => {
    const { fleet } = await newFleet(server.current, { seed: null });
    for (const id of ['0', 'select', 'user', 'a--b', 'a_', 'z'.repeat(48)]) {
      const { tenant } = await provisionTenant(fleet, { id, plan });
      expect(tenant).toMatchObject({ id, status: 'active' });
    }
  });
});

describe('a key', () => {
  it('that is no uuid is refused and leaves nothing', async () => {
    const { fleet, settings } = await newFleet(server.current);
    const before = await everything(server.current, settings);
    const uuid = randomUUID();
    for (const key of ['', 'x', '123', `{${uuid}}`, `' or true; --`, `${uuid} `, uuid.replaceAll('-', '')]) {
      const refused = provisionTenant(fleet, { id: 'acme', plan: 'free', key });
      await expect(refused).rejects.toMatchObject({ code: 'TENANT_KEY_INVALID', exit: 2 });
    }
    expect(await everything(server.current, settings)).toEqual(before);
  });

  it('in upper case is the same key in PostgreSQL’s own spelling', async () => {
    const { fleet } = await newFleet(server.current);
    const key = randomUUID();
    const request = { id: 'acme', plan: 'free', key: key.toUpperCase() };
    expect(await provisionTenant(fleet, request)).toMatchObject({ created: true, tenant: { key } });
    expect(await provisionTenant(fleet, request)).toMatchObject({ created: false, tenant: { key } });
    expect(await provisionTenant(fleet, { ...request, key })).toMatchObject({ created: false });
  });

  it('of another tenant is refused, in whatever tier and spelling, and leaves nothing', async () => {
    const { fleet, settings } = await newFleet(server.current);
    const { tenant } = await provisionTenant(fleet, { id: 'acme', plan: 'free' });
    await provisionTenant(fleet, { id: 'warm', plan: 'pro' });
    await provisionTenant(fleet, { id: 'warmer', plan: 'enterprise' });
    const before = await everything(server.current, settings);
    for (const [, plan] of PLANS) {
      const request = { id: 'beta', plan, key: tenant.key.toUpperCase() };
      await expect(provisionTenant(fleet, request)).rejects.toMatchObject({
        code: 'TENANT_KEY_TAKEN',
        exit: 5,
      });
    }
    expect(await everything(server.current, settings)).toEqual(before);
  });

  it('of text tells upper from lower case', async () => {
    const { fleet } = await newFleet(server.current, {
      seed: null,
      tenancy: { columnType: 'text', column: 'owned_by' },
    });
    await provisionTenant(fleet, { id: 'acme', plan: 'pro', key: 'K-1' });
    await expect(provisionTenant(fleet, { id: 'acme', key: 'k-1' })).rejects.toMatchObject({
      code: 'TENANT_DIFFERS',
    });
    const { tenant } = await provisionTenant(fleet, { id: 'beta', plan: 'pro', key: 'k-1' });
    expect(tenant.key).toBe('k-1');
  });
});

describe('labels and owner', () => {
  it.each(PLANS)('are kept letter by letter, whatever they hold, in tier %s', async (tier, plan) => {
    const { fleet } = await newFleet(server.current);
    const owner = `o'neil"\\$1 :tenant_id $$ \u00e9@x.example`;
    const labels = { 'a "b" \'c\'': `'; drop schema public; -- \\ $x$ :owner_email`, ünï: '∅' };
    const { tenant } = await provisionTenant(fleet, { id: 'acme', plan, owner, labels });
    expect(tenant).toMatchObject({ owner, labels });
    const record = await fleet.catalog((connection) => requireTenant(connection, 'acme'));
    const home = homeOf(fleet, record);
    const rows = await openHome(fleet, home, (session) =>
      session.rows(sql`select owner, labels from tenantctl.placement where tenant = 'acme'`),
    );
    expect(rows).toEqual([{ owner, labels }]);
    const seeded = await openHome(fleet, home, (session) => session.rows(sql`select email from app_user`));
    expect(seeded).toEqual([{ email: owner }]);
    expect(tier).toBe(tenant.tier);
  });
});

describe('a dry run', () => {
  it.each(PLANS)('tells the steps and changes nothing in tier %s', async (tier, plan) => {
    const { fleet, settings } = await newFleet(server.current, { hooks: [['true']] });
    const before = await everything(server.current, settings);
    const result = await provision(fleet, { id: 'acme', plan }, { dryRun: true });
    const { steps } = (result as { plan: { steps: string[] } }).plan;
    expect(steps.join('\n')).toMatch(
      new RegExp(`provisioning[^]*tier ${tier}[^]*seed[^]*active[^]*hook true`),
    );
    expect(await everything(server.current, settings)).toEqual(before);
    expect(await provision(fleet, { id: 'acme', plan }, REAL)).toMatchObject({ created: true });
    expect(await provision(fleet, { id: 'acme', plan }, { dryRun: true })).toEqual({
      plan: { steps: ['nothing: tenant acme is active'] },
    });
  });

  it('refuses what the real call would refuse', async () => {
    const { fleet } = await newFleet(server.current);
    await provisionTenant(fleet, { id: 'acme', plan: 'pro' });
    const dry = (request: Parameters<typeof provision>[1]) => provision(fleet, request, { dryRun: true });
    await expect(dry({ id: 'acme', plan: 'free' })).rejects.toMatchObject({ code: 'TENANT_DIFFERS' });
    await expect(dry({ id: 'beta', plan: 'gold' })).rejects.toMatchObject({ code: 'PLAN_UNKNOWN', exit: 3 });
    await expect(dry({ id: 'beta' })).rejects.toMatchObject({ code: 'TIER_UNDECIDED', exit: 5 });
    await expect(dry({ id: 'beta', tier: 'schema', key: 'x' })).rejects.toMatchObject({
      code: 'TENANT_KEY_INVALID',
    });
  });
});

describe('a tenant that is being made', () => {
  const POINTS = {
    pool: ['recorded', 'created', 'migrated', 'seeded'],
    schema: ['recorded', 'migrated', 'seeded'],
    database: ['recorded', 'database-copied', 'database-closed', 'created', 'migrated', 'seeded'],
  };
  it.each(PLANS)('is never shown as active before it is: tier %s', async (tier, plan) => {
    const { fleet, settings } = await newFleet(server.current);
    for (const point of POINTS[tier]) {
      const request = { id: point, plan };
      await withFleet(settings, { reach: crashAt(`provision.${point}`) }, async (dying) => {
        await expect(provisionTenant(dying, request)).rejects.toThrow(Crash);
      });
      expect(await statuses(fleet)).toMatchObject({ [point]: 'provisioning' });
      expect(await provisionTenant(fleet, request)).toMatchObject({
        created: true,
        tenant: { status: 'active' },
      });
    }
  });

  it('is shown as active only when it can be opened', async () => {
    const { fleet, another } = await newFleet(server.current);
    const watcher = another();
    const work = { ended: false };
    const done = Promise.all(PLANS.map(([tier, plan]) => provisionTenant(fleet, { id: tier, plan }))).finally(
      () => (work.ended = true),
    );
    while (!work.ended) {
      const { tenants } = await listTenants(watcher, { select: [], limit: 10, after: null });
      for (const { id } of tenants.filter(({ status }) => status === 'active')) {
        const record = await watcher.catalog((connection) => requireTenant(connection, id));
        const users = await openHome(watcher, homeOf(watcher, record), (session) =>
          session.rows(sql`select email from app_user`),
        );
        expect(users).toHaveLength(1);
      }
    }
    await done;
    expect(await statuses(watcher)).toEqual({ pool: 'active', schema: 'active', database: 'active' });
  });
});

it('installing twice changes nothing', async () => {
  const { fleet, settings } = await newFleet(server.current);
  const before = await everything(server.current, settings);
  expect((await installFleet(fleet)).created).toEqual([]);
  expect(await everything(server.current, settings)).toEqual(before);
});
