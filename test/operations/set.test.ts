import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { FleetSettings, PlanLimits } from '../../src/core/settings.js';
import { NO_LIMITS } from '../../src/core/settings.js';
import type { Tier } from '../../src/core/tier.js';
import type { Fleet } from '../../src/engine/context.js';
import { routeTenant } from '../../src/operations/route.js';
import { type TenantEdit, setTenant } from '../../src/operations/set.js';
import { failureOf } from '../engine/ledger/directory.js';
import { type SmallFleet, codeOf, useFleets } from './fleets.js';

const fleets = useFleets();

const plan = (name: string, tier: Tier, limits: Partial<PlanLimits> = {}): FleetSettings['plans'] => ({
  [name]: {
    name,
    tier,
    cluster: null,
    pool: null,
    region: null,
    labels: {},
    limits: { ...NO_LIMITS, ...limits },
  },
});
const PLANS = {
  ...plan('free', 'pool', { statementTimeoutMs: 500 }),
  ...plan('pro', 'schema', { connections: 7, statementTimeoutMs: 1_500 }),
  ...plan('basic', 'schema'),
  ...plan('enterprise', 'database', { connections: 9, statementTimeoutMs: 2_500 }),
  ...plan('plain', 'database'),
};

let made: SmallFleet;
let fleet: Fleet;

beforeAll(async () => {
  made = await fleets.make({ pool: 1, schema: 1, database: 1 }, { plans: PLANS });
});
beforeEach(() => {
  fleet = made.another();
});

const change = async (id: string, edit: TenantEdit) =>
  (await setTenant(fleet, id, edit, { dryRun: false })).tenant;

/** What the catalog and the tenant's own database hold of it, changes of time left out. */
async function stored(id: string) {
  const catalog = `select plan, owner, labels, pinned_to as pinned, status from tenantctl_catalog.tenants where id = $1`;
  const local = `select plan, owner, labels, status, state, epoch::int from tenantctl.placement where tenant = '${id}'`;
  const [[known], [home], audit] = await Promise.all([
    made.catalog<Record<string, unknown>>(catalog, [id]),
    id.startsWith('database')
      ? made.own<Record<string, unknown>>(id, local)
      : made.shared<Record<string, unknown>>(local),
    made.catalog('select from tenantctl_catalog.audit'),
  ]);
  return { known, home, audited: audit.length };
}

/** The limits that the server holds a role and a database to. */
async function limitsOf(name: string) {
  const [limits] = await made.catalog<{ role: number; database: number | null; settings: string[][] | null }>(
    `select (select rolconnlimit from pg_roles where rolname = $1) as role,
       (select datconnlimit from pg_database where datname = $1) as database,
       (select jsonb_agg(distinct setconfig) from pg_db_role_setting s
          left join pg_roles r on r.oid = s.setrole left join pg_database d on d.oid = s.setdatabase
         where r.rolname = $1 or d.datname = $1) as settings`,
    [name],
  );
  if (limits === undefined) throw new Error('the server answered nothing');
  return limits;
}

describe('labels and owner', () => {
  test.each(['pool-1', 'schema-1', 'database-1'])(
    'of %s change in the catalog and in its home',
    async (id) => {
      const edit = { labels: { ring: 'canary', "it's": '"50%" \\ 🎉' }, owner: 'ops@example.com' };
      const tenant = await change(id, edit);
      expect(tenant).toMatchObject({ id, ...edit });
      const { known, home } = await stored(id);
      expect(known).toMatchObject(edit);
      expect(home).toMatchObject({ ...edit, status: 'active', state: 'active', epoch: 1 });
      const less = await change(id, { unlabel: ["it's", 'never there'], labels: { ring: 'late' } });
      expect(less).toMatchObject({ labels: { ring: 'late' }, owner: 'ops@example.com' });
      expect((await stored(id)).home).toMatchObject({ labels: { ring: 'late' }, owner: 'ops@example.com' });
    },
  );

  test('are audited as intent and as done, without a secret', async () => {
    await change('schema-1', { labels: { link: 'postgres://bob:hunter2@db/x' } });
    const rows = await made.catalog<{ phase: string; details: unknown }>(
      `select phase, details from tenantctl_catalog.audit where action = 'tenant.set' order by seq desc limit 2`,
    );
    expect(rows.map(({ phase }) => phase)).toEqual(['done', 'intent']);
    expect(JSON.stringify(rows)).not.toContain('hunter2');
    await change('schema-1', { unlabel: ['link'] });
  });

  test.each(['pool-1', 'schema-1', 'database-1'])(
    'of %s that are so already are not written again',
    async (id) => {
      const set = (edit: TenantEdit, dryRun = false) => setTenant(fleet, id, edit, { dryRun });
      const plan = { 'pool-1': 'free', 'schema-1': 'pro', 'database-1': 'enterprise' }[id] as string;
      const edit = { labels: { ring: 'twice' }, owner: 'twice@example.com', plan };
      expect((await set(edit)).changed).toBe(true);
      const before = await stored(id);
      expect(await set(edit)).toMatchObject({ changed: false, tenant: edit });
      expect(await set({ unlabel: ['never there'] })).toMatchObject({ changed: false, tenant: edit });
      expect(await set(edit, true)).toMatchObject({ changed: false });
      expect(await set({ unlabel: ['ring'] }, true)).toMatchObject({ changed: true });
      expect(await stored(id)).toEqual(before);
      expect((await set({ unlabel: ['ring'] })).changed).toBe(true);
    },
  );

  test('that are so already in the catalog are brought to a home that has others', async () => {
    await change('schema-1', { labels: { ring: 'here' } });
    await made.shared(`update tenantctl.placement set labels = '{"ring": "died"}' where tenant = 'schema-1'`);
    await change('schema-1', { labels: { ring: 'here' } });
    expect((await stored('schema-1')).home).toMatchObject({ labels: { ring: 'here' } });
  });

  test('set by two at once are both kept, or one is told to come again', async () => {
    const codes = await Promise.all(
      ['one', 'two', 'three', 'four'].map((name) => codeOf(change('schema-1', { labels: { [name]: 'x' } }))),
    );
    const { known, home } = await stored('schema-1');
    const kept = Object.keys(known?.['labels'] as object);
    const done = ['one', 'two', 'three', 'four'].filter((_, index) => codes[index] === 'done');
    expect(done.length).toBeGreaterThan(0);
    expect(kept).toEqual(expect.arrayContaining(done));
    expect(home?.['labels']).toEqual(known?.['labels']);
    expect(codes.filter((code) => code !== 'done' && code !== 'TENANT_LOCKED')).toEqual([]);
  });
});

describe('a dry run', () => {
  test.each(['pool-1', 'schema-1', 'database-1'])(
    'of a change of %s shows it and changes nothing',
    async (id) => {
      const before = await stored(id);
      const edit = { labels: { dry: 'yes' }, owner: 'nobody@example.com' };
      const { tenant } = await setTenant(fleet, id, edit, { dryRun: true });
      expect(tenant).toMatchObject({ id, owner: 'nobody@example.com', labels: { dry: 'yes' } });
      expect(await stored(id)).toEqual(before);
    },
  );

  test('of what cannot be done is refused all the same', async () => {
    const dry = setTenant(fleet, 'schema-1', { plan: 'free' }, { dryRun: true });
    expect(await codeOf(dry)).toBe('TIER_DIFFERS');
  });
});

describe('a plan of the same tier', () => {
  test('limits the role of a tenant schema, and one without limits lifts them', async () => {
    const role = fleet.settings.tenancy.names.schema.replace('{id}', 'schema-1');
    expect(await change('schema-1', { plan: 'pro' })).toMatchObject({ plan: 'pro' });
    expect(await limitsOf(role)).toEqual({
      role: 7,
      database: null,
      settings: [['statement_timeout=1500ms']],
    });
    expect((await routeTenant(fleet, 'schema-1')).settings).toMatchObject({ statement_timeout: '1500ms' });
    expect((await stored('schema-1')).home).toMatchObject({ plan: 'pro' });
    await change('schema-1', { plan: 'basic' });
    expect(await limitsOf(role)).toEqual({ role: -1, database: null, settings: null });
    expect((await routeTenant(fleet, 'schema-1')).settings).not.toHaveProperty('statement_timeout');
  });

  test('limits the role and the database of a dedicated tenant', async () => {
    const name = fleet.settings.tenancy.names.database.replace('{id}', 'database-1');
    await change('database-1', { plan: 'enterprise' });
    const limits = await limitsOf(name);
    expect(limits).toMatchObject({ role: 9, settings: [['statement_timeout=2500ms']] });
    // The database's limit binds the administrator too, who may have a few places beside the tenant's.
    expect(limits.database).toBeGreaterThanOrEqual(9);
    expect(limits.database).toBeLessThan(9 + 5);
    await change('database-1', { plan: 'plain' });
    expect(await limitsOf(name)).toEqual({ role: -1, database: -1, settings: null });
  });

  test('limits the sessions of a pool tenant, and leaves the shared role alone', async () => {
    await change('pool-1', { plan: 'free' });
    expect((await routeTenant(fleet, 'pool-1')).settings).toMatchObject({ statement_timeout: '500ms' });
    expect(await limitsOf(fleet.settings.tenancy.appRole)).toEqual({
      role: -1,
      database: null,
      settings: null,
    });
    expect((await stored('pool-1')).home).toMatchObject({ plan: 'free' });
  });
});

describe('what cannot be set', () => {
  test.each<[string, string, TenantEdit, string, number, string]>([
    ['a plan of another tier', 'schema-1', { plan: 'enterprise' }, 'TIER_DIFFERS', 5, 'within a tier'],
    ['a plan that does not exist', 'schema-1', { plan: 'gold' }, 'PLAN_UNKNOWN', 3, 'basic'],
    ['a pin in a pool', 'pool-1', { pin: '2' }, 'PIN_SHARED_UNIT', 5, 'tier of its own'],
    ['a pin below its version', 'schema-1', { pin: '1' }, 'PIN_BELOW_VERSION', 2, 'Roll it back'],
    ['a pin at nothing', 'schema-1', { pin: '0009_x' }, 'MIGRATION_UNKNOWN', 2, '0002_step'],
    ['anything of nobody', 'nobody', { owner: 'x' }, 'TENANT_UNKNOWN', 5, 'tenantctl list'],
    [
      'anything of an id with a slip',
      'schema1',
      { owner: 'x' },
      'TENANT_UNKNOWN',
      5,
      'Did you mean schema-1?',
    ],
    ['anything of a bad id', 'a"; --', { owner: 'x' }, 'TENANT_ID_INVALID', 2, 'lower-case'],
  ])('%s is refused and changes nothing', async (_what, id, edit, code, exit, hint) => {
    const audited = (await stored('schema-1')).audited;
    const error = await failureOf(change(id, edit));
    expect(error).toMatchObject({ code, exit });
    expect(error.hint).toContain(hint);
    expect((await stored('schema-1')).audited).toBe(audited);
  });

  test('includes whatever is of a tenant that is gone', async () => {
    await made.catalog(`insert into tenantctl_catalog.tenants (id, key) values ('gone', 'gone')`);
    await made.catalog(`insert into tenantctl_catalog.placements (tenant, epoch, tier, cluster, database, schema, role, unit)
      values ('gone', 1, 'schema', 'main', 'd', 'gone', 'gone', 'schema:gone')`);
    for (const status of ['active', 'offboarding', 'deleted'])
      await made.catalog(
        `update tenantctl_catalog.tenants set status = $1, deleted_at = now() where id = 'gone'`,
        [status],
      );
    expect(await codeOf(change('gone', { owner: 'x' }))).toBe('TENANT_GONE');
  });
});

test('a pin and its removal are kept in the catalog', async () => {
  await change('schema-1', { pin: '0002_step' });
  expect((await stored('schema-1')).known).toMatchObject({ pinned: 2 });
  await change('schema-1', { unpin: true });
  expect((await stored('schema-1')).known).toMatchObject({ pinned: null });
});
