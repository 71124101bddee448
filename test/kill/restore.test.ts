import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { ExportManifest } from '../../src/core/export-manifest.js';
import { FAULT_POINTS, type FaultPoint } from '../../src/core/faults.js';
import type { Tenant } from '../../src/core/tenant.js';
import { TIERS, type Tier } from '../../src/core/tier.js';
import { json } from '../support/cli.js';
import { query, useServer, withClient } from '../support/server.js';
import { Project } from './project.js';

const server = useServer();
const KILLED = { code: null, signal: 'SIGKILL' };
let project: Project;
let made = 0;

beforeAll(async () => {
  project = await new Project(server.current).install();
});

const NEW: readonly FaultPoint[] = [
  'restore.recorded',
  'restore.created',
  'restore.filled',
  'restore.opened',
  'restore.activated',
];
const REPLACING: readonly FaultPoint[] = [
  'restore.shut',
  'restore.backed-up',
  'restore.replaced',
  'restore.reopened',
];
/** Homes of their own are migrated up after they are filled. */
const pointsOf = (tier: Tier): readonly FaultPoint[] =>
  tier === 'pool' ? NEW : [...NEW, 'restore.migrated'];

async function newTenant(tier: Tier): Promise<string> {
  const id = `t${(made += 1)}`;
  await project.do(...project.provisionArgs(tier, id, randomUUID()));
  return id;
}

async function show(id: string): Promise<Tenant> {
  const ran = await project.do('show', id, '--json');
  return json<{ tenant: Tenant }>(ran).data.tenant;
}

/** Exports a tenant and gives the folder with what its tables hold. */
async function exported(id: string): Promise<{ folder: string; sums: string[] }> {
  const folder = path.join(project.folder, `export-${(made += 1)}`);
  await project.do('export', id, '--out', folder);
  const { tables } = JSON.parse(readFileSync(path.join(folder, 'manifest.json'), 'utf8')) as ExportManifest;
  const own = tables.filter(({ kind }) => kind === 'tenant');
  return { folder, sums: own.map(({ table, rows, hash }) => `${table} ${rows} ${hash}`) };
}

/** What the home answers its tenant. */
async function stateOf({ id, database }: Tenant): Promise<string | undefined> {
  const rows = await query<{ state: string }>(
    server.current.superuserUrl(database),
    'select state from tenantctl.placement where tenant = $1',
    [id],
  );
  return rows[0]?.state;
}

describe.each(TIERS)('restored into a new tenant of tier %s', (tier) => {
  it.each(pointsOf(tier))('and killed at %s, the same call ends with every row', async (point) => {
    const { folder, sums } = await exported(await newTenant('schema'));
    const id = `new${(made += 1)}`;
    const call = ['restore', folder, '--as', id, '--tier', tier];
    expect(await project.run(...call, '--fail-at', point)).toMatchObject(KILLED);
    const half = await show(id);
    if (point !== 'restore.activated') {
      expect(half.status).toBe('provisioning');
      expect((await project.run('provision', id, '--tier', tier)).code).toBe(5);
    }
    await project.do(...call);
    expect((await show(id)).status).toBe('active');
    expect((await exported(id)).sums).toEqual(sums);
    expect(project.hooked().filter((hooked) => hooked === id)).toEqual([id]);
  });
});

/** A tenant whose rows have become wrong since it was exported. */
async function toReplace(tier: Tier) {
  const id = await newTenant(tier);
  const { folder, sums } = await exported(id);
  const tenant = await show(id);
  await query(
    server.current.superuserUrl(tenant.database),
    `update "${tenant.schema}".tenant_settings set company_name = 'wrong' where tenant_id = $1`,
    [tenant.key],
  );
  const call = ['restore', folder, '--into', id, '--replace', '--yes'];
  return { tenant, sums, wrong: (await exported(id)).sums, call };
}

/** Resolves when a session of the program waits for a lock in the tenant's database. */
async function waitsForLock({ database }: Tenant): Promise<void> {
  await withClient(server.current.superuserUrl(database), async (client) => {
    for (;;) {
      const { rows } = await client.query(
        `select from pg_stat_activity where datname = $1 and wait_event_type = 'Lock' and application_name like 'tenantctl/%'`,
        [database],
      );
      if (rows.length > 0) return;
    }
  });
}

describe.each(TIERS)('replaced in tier %s', (tier) => {
  it.each(REPLACING)(
    'and killed at %s, there are the old rows or the new ones, and the same call ends',
    async (point) => {
      const { tenant, sums, wrong, call } = await toReplace(tier);
      const { id } = tenant;
      expect(await project.run(...call, '--fail-at', point)).toMatchObject(KILLED);
      expect(await stateOf(tenant)).toBe(point === 'restore.reopened' ? 'active' : 'suspended');
      const replaced = point === 'restore.replaced' || point === 'restore.reopened';
      expect((await exported(id)).sums).toEqual(replaced ? sums : wrong);
      await project.do(...call);
      expect((await exported(id)).sums).toEqual(sums);
      expect(await stateOf(tenant)).toBe('active');
      expect(await show(id)).toEqual(tenant);
    },
  );
});

it.each(['pool', 'schema'] as const)(
  'replaced in tier %s and killed in the middle of the transaction, there are the old rows, and the same call ends',
  async (tier) => {
    const { tenant, sums, wrong, call } = await toReplace(tier);
    // As the administrator, for whose transactions the tool does not wait before it begins.
    await withClient(server.current.adminUrl(tenant.database), async (client) => {
      await client.query(`begin; lock table "${tenant.schema}".tenant_settings in share mode`);
      const running = project.launch(...call);
      await waitsForLock(tenant);
      running.kill();
      expect(await running.ended).toMatchObject(KILLED);
      await client.query('rollback');
    });
    expect(await stateOf(tenant)).toBe('suspended');
    expect((await exported(tenant.id)).sums).toEqual(wrong);
    await project.do(...call);
    expect((await exported(tenant.id)).sums).toEqual(sums);
    expect(await stateOf(tenant)).toBe('active');
  },
);

it('every point of a restore is among these', () => {
  const all = Object.keys(FAULT_POINTS).filter((point) => point.startsWith('restore.'));
  expect([...pointsOf('schema'), ...REPLACING].toSorted()).toEqual(all.toSorted());
});
