import { describe, expect, test } from 'vitest';
import type { Tenant } from '../../../src/core/tenant.js';
import { activateTenant } from '../../../src/operations/activate.js';
import { installFleet } from '../../../src/operations/install.js';
import { listTenants } from '../../../src/operations/list.js';
import { migrate } from '../../../src/operations/migrate.js';
import { movesAbort, movesComplete, movesResume, movesUndo } from '../../../src/operations/moves/verbs.js';
import { promote } from '../../../src/operations/moves/promote.js';
import { offboardTenant } from '../../../src/operations/offboard/offboard.js';
import { cancelOffboarding } from '../../../src/operations/offboard/cancel.js';
import { provisionTenant } from '../../../src/operations/provision.js';
import { rebuildCatalog } from '../../../src/operations/rebuild/rebuild.js';
import { placeHold } from '../../../src/operations/retention/hold.js';
import { listRetention } from '../../../src/operations/retention/list.js';
import { routeTenant } from '../../../src/operations/route.js';
import { setTenant } from '../../../src/operations/set.js';
import { suspendTenant } from '../../../src/operations/suspend.js';
import { INVOICING } from '../../support/fleet.js';
import { query, useServer } from '../../support/server.js';
import { Crash, crashAt, withFleet } from '../provision-support.js';
import { type DoctorFleet, doctorFleet, rulesOf } from './support.js';

const server = useServer();

const TIERS = ['pool', 'schema', 'database'] as const;

/** A tenant of each kind that a fleet has, in every tier. */
async function everyKind(): Promise<DoctorFleet> {
  const made = await doctorFleet(server.current);
  const { fleet } = made;
  const plans = { pool: 'free', schema: 'pro', database: 'enterprise' };
  for (const tier of TIERS) {
    for (const kind of ['plain', 'shut', 'held'])
      await provisionTenant(fleet, {
        id: `${kind}-${tier}`,
        plan: plans[tier],
        owner: `${kind}@example.org`,
        labels: { ring: kind, 'with "quotes"': "it's" },
      });
    await suspendTenant(fleet, `shut-${tier}`, { dryRun: false });
    await placeHold(withReason(made), `held-${tier}`, { dryRun: false });
  }
  await provisionTenant(fleet, { id: 'unplanned', tier: 'schema' });
  await setTenant(fleet, 'plain-pool', { labels: { later: 'yes' } }, { dryRun: false });
  return made;
}

function withReason(made: DoctorFleet) {
  const fleet = made.another();
  Object.assign(fleet.options.actor, { reason: 'case 17', actor: 'legal' });
  return fleet;
}

/** Every tenant with what is promised to come back. */
async function known(made: DoctorFleet): Promise<Tenant[]> {
  return (await listTenants(made.fleet, { select: [], limit: 1_000, after: null })).tenants;
}

/** The catalog's database is gone, and an empty one in its place. */
async function loseCatalog(made: DoctorFleet): Promise<DoctorFleet> {
  const { catalogUrl } = made.settings;
  const database = new URL(catalogUrl).pathname.slice(1);
  await made.fleet.close();
  await query(server.current.adminUrl('postgres'), `drop database "${database}" with (force)`);
  const fleet = made.another();
  await installFleet(fleet);
  return Object.assign(made, { fleet });
}

const holds = (made: DoctorFleet) =>
  made.catalog(`select id, tenant, reason, author, to_char(placed_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS') as placed_at
    from tenantctl_catalog.holds where released_at is null order by tenant`);

const rows = (made: DoctorFleet, table: string, columns: string) =>
  made.catalog(`select ${columns} from tenantctl_catalog.${table} order by 1, 2`);

async function promised(made: DoctorFleet) {
  return {
    // A home knows when it was made itself, which is a moment later, or a move.
    tenants: (await known(made)).map(({ createdAt: _createdAt, ...tenant }) => tenant),
    holds: await holds(made),
    units: await rows(
      made,
      'units',
      'id, tier, cluster, database, schema, ledger_key, version_id, version_name',
    ),
    pools: await rows(made, 'pools', 'name, cluster, database, schema'),
    placements: await made.catalog(
      `select tenant, epoch, tier, cluster, database, schema, pool, role, unit from tenantctl_catalog.placements where until is null order by 1`,
    ),
    routes: await Promise.all((await known(made)).map(({ id }) => routeTenant(made.fleet, id).catch(codeOf))),
  };
}

const codeOf = (error: unknown) => (error as { code: string }).code;

test('a lost catalog is made again from the homes, with everything that is promised, and the fleet works on', async () => {
  const made = await everyKind();
  await made.tenant('moved', 'pool', 5);
  await made.promote({ id: 'moved', to: 'schema' });
  await made.finishMove('moved');
  await made.promote({ id: 'moved', to: 'database' });
  await made.finishMove('moved');
  const before = await promised(made);
  expect(before.tenants.length).toBe(12);
  await loseCatalog(made);
  expect(await known(made)).toEqual([]);

  const dry = await rebuildCatalog(made.fleet, { dryRun: true });
  expect([dry.added, dry.plan.length]).toEqual([[], 12]);
  expect(await known(made)).toEqual([]);

  const rebuilt = await rebuildCatalog(made.fleet, { dryRun: false });
  expect(rebuilt.added.toSorted()).toEqual(before.tenants.map(({ id }) => id).toSorted());
  expect(rebuilt.lost.join()).toContain('tombstones');
  expect(await promised(made)).toEqual(before);
  expect((await made.show('moved')).epoch).toBe(3);

  expect(await rebuildCatalog(made.fleet, { dryRun: false })).toMatchObject({
    added: [],
    plan: [],
    known: 12,
  });
  expect(await made.findings()).toEqual([]);
  const run = await migrate(made.fleet, { select: [], allowEmpty: false, dryRun: false });
  expect(run).toMatchObject({ status: 'succeeded', totals: { succeeded: 0, failed: 0 } });
  const { held } = await listRetention(made.fleet);
  expect(held.map(({ tenant }) => tenant).toSorted()).toEqual(TIERS.map((tier) => `held-${tier}`).toSorted());
  await activateTenant(made.fleet, 'shut-schema', { dryRun: false });
  await made.promote({ id: 'moved', to: 'pool' });
  expect((await made.show('moved')).epoch).toBe(4);
  await made.finishMove('moved');
  expect(await made.findings()).toEqual([]);
}, 180_000);

test('killed in the middle, the same call again adds what is missing', async () => {
  const made = await everyKind();
  const before = await promised(made);
  await loseCatalog(made);
  for (const times of [1, 3]) {
    let left = times;
    const dies = (point: string): void => {
      if (point === 'rebuild.tenant-added' && (left -= 1) === 0) throw new Crash(point);
    };
    await withFleet(made.settings, { reach: dies }, (fleet) =>
      expect(rebuildCatalog(fleet, { dryRun: false })).rejects.toThrow(Crash),
    );
  }
  expect((await known(made)).length).toBe(4);
  await rebuildCatalog(made.fleet, { dryRun: false });
  expect(await promised(made)).toEqual(before);
});

test('homes whose local state is of an older version of this tool are read as they are', async () => {
  const made = await doctorFleet(server.current);
  const { database } = await made.tenant('alone', 'database', 3);
  const before = await promised(made);
  await made.inside(database, 'drop table tenantctl.move, tenantctl.dirty, tenantctl.set_aside');
  await loseCatalog(made);
  await rebuildCatalog(made.fleet, { dryRun: false });
  expect(await promised(made)).toEqual(before);
});

test('two at once add every tenant once', async () => {
  const made = await everyKind();
  const before = await promised(made);
  await loseCatalog(made);
  const other = made.another();
  const ends = await Promise.allSettled([
    rebuildCatalog(made.fleet, { dryRun: false }),
    rebuildCatalog(other, { dryRun: false }),
  ]);
  expect(ends.some(({ status }) => status === 'fulfilled')).toBe(true);
  expect(await promised(made)).toEqual(before);
});

describe('a move', () => {
  const mover = async () => {
    const made = await doctorFleet(server.current);
    const { key } = await made.tenant('mover', 'pool', 5);
    return { made, key };
  };

  test('in its grace period can be completed, and undone', async () => {
    for (const verb of [movesComplete, movesUndo]) {
      const { made } = await mover();
      await made.promote({ id: 'mover', to: 'schema' });
      const before = await promised(made);
      await loseCatalog(made);
      await rebuildCatalog(made.fleet, { dryRun: false });
      expect(await promised(made)).toEqual(before);
      expect(await made.findings()).toEqual([]);
      await verb(made.fleet, 'mover', { dryRun: false });
      expect(await made.findings()).toEqual([]);
      expect(await made.rows(await made.show('mover'))).toMatchObject({ customer: 5, orders: 5 });
    }
  });

  test.each([
    ['move.copied', 'moving', 1, movesAbort, 'pool'],
    ['move.prepared', 'moving', 1, movesAbort, 'pool'],
    ['move.left', 'moving', 1, movesResume, 'schema'],
    ['move.flipped', 'active', 2, movesResume, 'schema'],
  ] as const)('that was killed at %s is known again, and ends', async (point, status, epoch, verb, tier) => {
    const { made } = await mover();
    await withFleet(made.settings, { reach: crashAt(point) }, (fleet) =>
      expect(
        promote(fleet, { id: 'mover', to: 'schema', method: 'online' }, { dryRun: false }),
      ).rejects.toThrow(),
    );
    await loseCatalog(made);
    await rebuildCatalog(made.fleet, { dryRun: false });
    expect(await made.show('mover')).toMatchObject({ status, epoch });
    await verb(made.fleet, 'mover', { dryRun: false });
    const after = await made.show('mover');
    expect(after).toMatchObject({ status: 'active', tier });
    expect(await made.rows(after)).toMatchObject({ customer: 5, orders: 5 });
    if (tier === 'schema') await made.finishMove('mover');
    expect(await made.findings()).toEqual([]);
  });

  test.each(['undo.left', 'undo.opened', 'undo.flipped'] as const)(
    'whose way back was killed at %s is known again, and ends',
    async (point) => {
      const { made } = await mover();
      await made.promote({ id: 'mover', to: 'schema' });
      await withFleet(made.settings, { reach: crashAt(point) }, (fleet) =>
        expect(movesUndo(fleet, 'mover', { dryRun: false })).rejects.toThrow(),
      );
      await loseCatalog(made);
      await rebuildCatalog(made.fleet, { dryRun: false });
      await movesResume(made.fleet, 'mover', { dryRun: false });
      const after = await made.show('mover');
      expect(after).toMatchObject({ status: 'active', tier: 'pool', epoch: 3 });
      expect(await made.rows(after)).toMatchObject({ customer: 5, orders: 5 });
      expect(await made.findings()).toEqual([]);
    },
  );
});

test('an offboarding begins its period anew, can be gone on with, and taken back', async () => {
  const made = await doctorFleet(server.current);
  for (const id of ['stays', 'leaves']) {
    await made.tenant(id, 'schema', 3);
    await offboardTenant(made.fleet, { id, withoutExport: true }, { dryRun: false });
  }
  await loseCatalog(made);
  await rebuildCatalog(made.fleet, { dryRun: false });
  expect(await made.show('stays')).toMatchObject({ status: 'offboarding' });
  expect(rulesOf(await made.findings())).toEqual(['offboarding-stuck warning', 'offboarding-stuck warning']);
  await cancelOffboarding(made.fleet, 'stays', { dryRun: false });
  expect(await made.show('stays')).toMatchObject({ status: 'suspended' });
  await made.catalog(
    `update tenantctl_catalog.offboardings set wants_export = false where tenant = 'leaves'`,
  );
  await offboardTenant(made.fleet, { id: 'leaves' }, { dryRun: false });
  expect(await made.findings()).toEqual([]);
});

describe('nothing is overwritten or guessed', () => {
  test('a catalog that lacks only some tenants gets these, and keeps the others as they are', async () => {
    const made = await everyKind();
    const before = await promised(made);
    await made.forget('plain-schema');
    await made.forget('held-pool');
    const rebuilt = await rebuildCatalog(made.fleet, { dryRun: false });
    expect(rebuilt.added.toSorted()).toEqual(['held-pool', 'plain-schema']);
    expect(await promised(made)).toEqual(before);
  });

  test('a catalog that places a tenant elsewhere than its home is left as it is', async () => {
    const made = await everyKind();
    await made.forget('plain-schema');
    const { database } = await made.show('plain-pool');
    await made.inside(database, `update tenantctl.placement set epoch = 5 where tenant = 'plain-pool'`);
    await expect(rebuildCatalog(made.fleet, { dryRun: false })).rejects.toMatchObject({
      code: 'CATALOG_DIFFERS',
      exit: 6,
      facts: { tenants: ['plain-pool'] },
    });
    expect((await known(made)).map(({ id }) => id)).not.toContain('plain-schema');
  });

  test('two homes of one epoch are refused with both named, an older one is told', async () => {
    const made = await doctorFleet(server.current);
    const { database } = await made.tenant('twice', 'schema', 3);
    await made.inside(
      database,
      `insert into tenantctl.placement (tenant, key, unit, tier, schema, role, status, state, epoch)
       select tenant, key, (select unit from tenantctl.placement where tenant = 'neighbour'), 'pool', 'app', 'x', 'active', 'active', 1
         from tenantctl.placement where tenant = 'twice'`,
    );
    await loseCatalog(made);
    await expect(rebuildCatalog(made.fleet, { dryRun: false })).rejects.toMatchObject({
      code: 'HOMES_CLASH',
      facts: {
        tenant: 'twice',
        homes: [expect.stringContaining('schema app'), expect.stringContaining('_twice')],
      },
    });
    expect(await known(made)).toEqual([]);
    await made.inside(
      database,
      `update tenantctl.placement set epoch = 2 where tenant = 'twice' and schema <> 'app'`,
    );
    const { remarks } = await rebuildCatalog(made.fleet, { dryRun: false });
    expect(remarks).toEqual([expect.stringContaining('an older home of it (epoch 1, active)')]);
    expect(rulesOf(await made.findings())).toContain('second-home error');
  });

  test('with a cluster that cannot be seen nothing is rebuilt: a newer home could be there', async () => {
    const made = await doctorFleet(server.current);
    await loseCatalog(made);
    const { clusters } = made.settings;
    const { main } = clusters;
    if (main === undefined) throw new Error('the test fleet has a cluster main');
    clusters['far'] = { ...main, name: 'far', url: 'postgresql://nobody@127.0.0.1:1/postgres', pools: {} };
    await expect(rebuildCatalog(made.fleet, { dryRun: false })).rejects.toMatchObject({
      code: 'FLEET_NOT_SEEN',
    });
    expect(await known(made)).toEqual([]);
  });

  test('homes of another fleet on the same server, and such as were never finished, are not taken in', async () => {
    const other = await doctorFleet(server.current);
    await other.tenant('theirs', 'database', 3);
    const made = await doctorFleet(server.current);
    // A home that waits for its seed is not open yet.
    const settings = { ...made.settings, provision: { seed: `${INVOICING}seed.sql` } };
    await withFleet(settings, { reach: crashAt('provision.migrated') }, (fleet) =>
      expect(provisionTenant(fleet, { id: 'half', tier: 'schema' })).rejects.toThrow(Crash),
    );
    await loseCatalog(made);
    const { added, left } = await rebuildCatalog(made.fleet, { dryRun: false });
    expect(added).toEqual(['neighbour']);
    expect(left).toContainEqual({
      tenant: 'half',
      reason: expect.stringContaining('never finished') as string,
    });
    expect(left).toContainEqual({
      tenant: 'theirs',
      reason: expect.stringContaining('does not name') as string,
    });
  });
});
