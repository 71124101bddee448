import path from 'node:path';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { TENANT_STATUSES, type TenantStatus } from '../../src/core/tenant.js';
import { Fleet } from '../../src/engine/context.js';
import { activateTenant } from '../../src/operations/activate.js';
import { routeTenant } from '../../src/operations/route.js';
import { suspendTenant } from '../../src/operations/suspend.js';
import { directoryOf, failureOf } from '../engine/ledger/directory.js';
import { withClient } from '../support/server.js';
import { type SmallFleet, codeOf, useFleets } from './fleets.js';

const fleets = useFleets();
const IDS = ['pool-1', 'schema-1', 'database-1'];
const NO = { dryRun: false };

let made: SmallFleet;
let fleet: Fleet;

beforeAll(async () => {
  const seed = path.join(
    directoryOf({ 'seed.sql': "insert into item (id, note) values (1, 'mine')" }),
    'seed.sql',
  );
  made = await fleets.make({ pool: 2, schema: 1, database: 1 }, { seed });
});
beforeEach(() => {
  fleet = made.another();
});

async function stored(id: string) {
  const local = `select status, state, changed_at::text as changed from tenantctl.placement where tenant = '${id}'`;
  const [[known], [home], audit] = await Promise.all([
    made.catalog(
      'select status, suspended_at is not null as since from tenantctl_catalog.tenants where id = $1',
      [id],
    ),
    id.startsWith('database') ? made.own(id, local) : made.shared(local),
    made.catalog('select action, phase from tenantctl_catalog.audit where tenant = $1 order by seq', [id]),
  ]);
  return { known, home, audit };
}

/** What a session of the application's meets: the rows that it reads, or the SQLSTATE. */
async function applicationReads(
  id: string,
  route: Awaited<ReturnType<typeof routeTenant>>,
): Promise<unknown> {
  return withClient(fleets.server.adminUrl(route.database), async (client) => {
    await client.query('begin');
    for (const [name, value] of Object.entries(route.settings))
      await client.query('select set_config($1, $2, true)', [name, value]);
    await client.query(`set local role "${route.role}"`);
    return client.query<{ note: string }>('select note from item').then(
      ({ rows }) => rows.map(({ note }) => note),
      (error: { code?: string }) => error.code,
    );
  }).catch((error: { code?: string }) => `${id}: ${error.code}`);
}

describe('suspending and activating', () => {
  test.each([
    ['pool-1', 'TC002'],
    // A schema that may not be used is passed over on the search path.
    ['schema-1', '42P01'],
    ['database-1', '42P01'],
  ])('%s closes and opens its home and the catalog together', async (id, sqlstate) => {
    const route = await routeTenant(fleet, id);
    expect(await applicationReads(id, route)).toEqual(['mine']);
    const { tenant } = await suspendTenant(fleet, id, NO);
    expect(tenant).toMatchObject({ id, status: 'suspended' });
    expect(await stored(id)).toMatchObject({
      known: { status: 'suspended', since: true },
      home: { status: 'suspended', state: 'suspended' },
    });
    expect(await applicationReads(id, route)).toBe(sqlstate);
    expect(await codeOf(routeTenant(fleet, id))).toBe('TENANT_NOT_SERVED');
    expect((await activateTenant(fleet, id, NO)).tenant).toMatchObject({ status: 'active' });
    expect(await stored(id)).toMatchObject({
      known: { status: 'active', since: false },
      home: { status: 'active', state: 'active' },
    });
    expect(await applicationReads(id, route)).toEqual(['mine']);
    const phases = (await stored(id)).audit.slice(-4);
    expect(phases).toEqual([
      { action: 'tenant.suspend', phase: 'intent' },
      { action: 'tenant.suspend', phase: 'done' },
      { action: 'tenant.activate', phase: 'intent' },
      { action: 'tenant.activate', phase: 'done' },
    ]);
  });

  test('one tenant of a pool leaves the others served', async () => {
    const route = await routeTenant(fleet, 'pool-2');
    await suspendTenant(fleet, 'pool-1', NO);
    expect(await applicationReads('pool-2', route)).toEqual(['mine']);
    await activateTenant(fleet, 'pool-1', NO);
  });

  test.each(IDS)('%s a second time is done already and audits nothing', async (id) => {
    await suspendTenant(fleet, id, NO);
    const before = await stored(id);
    expect((await suspendTenant(fleet, id, NO)).tenant.status).toBe('suspended');
    expect((await stored(id)).audit).toEqual(before.audit);
    await activateTenant(fleet, id, NO);
    const open = await stored(id);
    expect((await activateTenant(fleet, id, NO)).tenant.status).toBe('active');
    expect((await stored(id)).audit).toEqual(open.audit);
  });

  test.each(IDS)('%s in a dry run shows the status and changes nothing', async (id) => {
    const before = await stored(id);
    expect((await suspendTenant(fleet, id, { dryRun: true })).tenant.status).toBe('suspended');
    expect((await activateTenant(fleet, id, { dryRun: true })).tenant.status).toBe('active');
    expect(await stored(id)).toEqual(before);
  });
});

describe('a suspension that was killed when the home was closed', () => {
  const killed = async (id: string) => {
    const dying = new Fleet(fleet.settings, {
      ...fleet.options,
      reach: (point) => {
        if (point === 'suspend.home-closed') throw new Error('killed');
      },
    });
    await expect(suspendTenant(dying, id, NO)).rejects.toThrow('killed');
    await dying.close();
    expect(await stored(id)).toMatchObject({ known: { status: 'active' }, home: { state: 'suspended' } });
  };

  test.each(IDS)('is finished for %s by the same call', async (id) => {
    await killed(id);
    await suspendTenant(fleet, id, NO);
    expect(await stored(id)).toMatchObject({ known: { status: 'suspended' }, home: { state: 'suspended' } });
    await activateTenant(fleet, id, NO);
  });

  test.each(IDS)('is taken back for %s by an activation', async (id) => {
    await killed(id);
    const route = await routeTenant(fleet, id);
    await activateTenant(fleet, id, NO);
    expect(await stored(id)).toMatchObject({ known: { status: 'active' }, home: { state: 'active' } });
    expect(await applicationReads(id, route)).toEqual(['mine']);
  });
});

describe('what is neither active nor suspended', () => {
  /** Ways from `provisioning`, in the catalog only. */
  const PATHS: Partial<Record<TenantStatus, TenantStatus[]>> = {
    provisioning: [],
    moving: ['active', 'moving'],
    offboarding: ['active', 'offboarding'],
    deleted: ['active', 'offboarding', 'deleted'],
  };
  const others = TENANT_STATUSES.filter((status) => PATHS[status] !== undefined);

  test.each(others)('such as %s is refused with its state named', async (status) => {
    const id = `is-${status}`;
    await made.catalog('insert into tenantctl_catalog.tenants (id, key) values ($1, $1)', [id]);
    await made.catalog(
      `insert into tenantctl_catalog.placements (tenant, epoch, tier, cluster, database, schema, role, unit)
       values ($1, 1, 'schema', 'main', 'd', $1, $1, 'schema:' || $1)`,
      [id],
    );
    for (const step of PATHS[status] ?? [])
      await made.catalog(
        'update tenantctl_catalog.tenants set status = $2, deleted_at = now() where id = $1',
        [id, step],
      );
    for (const [verb, wanted] of [
      [suspendTenant, 'suspended'],
      [activateTenant, 'active'],
    ] as const) {
      for (const dryRun of [false, true]) {
        const error = await failureOf(verb(fleet, id, { dryRun }));
        expect(error).toMatchObject({ code: 'TENANT_STATUS', exit: 5, facts: { status, wanted } });
        expect(error.message).toBe(`Tenant ${id} is ${status}; it cannot become ${wanted}.`);
      }
    }
    const audit = await made.catalog('select from tenantctl_catalog.audit where tenant = $1', [id]);
    expect(audit).toEqual([]);
  });

  test('or unknown is refused', async () => {
    expect(await codeOf(suspendTenant(fleet, 'nobody', NO))).toBe('TENANT_UNKNOWN');
  });
});

test('two suspensions at once end in one, and nobody waits for ever', async () => {
  const codes = await Promise.all([1, 2, 3].map(() => codeOf(suspendTenant(made.another(), 'schema-1', NO))));
  expect(codes.filter((code) => code === 'done').length).toBeGreaterThan(0);
  expect(codes.filter((code) => !['done', 'TENANT_LOCKED'].includes(code))).toEqual([]);
  expect(await stored('schema-1')).toMatchObject({
    known: { status: 'suspended' },
    home: { state: 'suspended' },
  });
});
