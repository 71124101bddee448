import { randomUUID } from 'node:crypto';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { FaultPoint } from '../../src/core/faults.js';
import { TIERS, type Tier } from '../../src/core/tier.js';
import { json } from '../support/cli.js';
import { query, useServer } from '../support/server.js';
import { Project } from './project.js';

const server = useServer();
let project: Project;
let made = 0;

beforeAll(async () => {
  project = await new Project(server.current).install();
});

const KILLED = { code: null, signal: 'SIGKILL' };
const NOW = ['--retain', '0s', '--yes'];

const OFFBOARDING: readonly FaultPoint[] = [
  'offboard.recorded',
  'offboard.home-closed',
  'export.table-written',
  'export.written',
  'offboard.exported',
];
const HOLDING: readonly FaultPoint[] = ['hold.recorded', 'hold.placed'];
const DELETING: readonly FaultPoint[] = [
  'retention.begun',
  'retention.emptied',
  'retention.home-dropped',
  'retention.rescanned',
  'retention.purged',
  'retention.certified',
];
/** Where rows are deleted one by one. */
const DELETING_ROWS: readonly FaultPoint[] = ['retention.batch-deleted', 'retention.table-emptied'];

async function newTenant(tier: Tier): Promise<string> {
  const id = `leaver${(made += 1)}`;
  await project.do(...project.provisionArgs(tier, id, randomUUID()));
  return id;
}

async function statusOf(id: string): Promise<unknown> {
  const ran = await project.run('show', id, '--json');
  const { data, error } = json(ran) as { data?: { tenant: { status: string } }; error?: { code: string } };
  return data?.tenant.status ?? error?.code;
}

/** What the whole server still holds of a tenant outside the catalog. */
async function traces(id: string): Promise<string[]> {
  const rows = await query<{ name: string }>(
    server.current.superuserUrl('postgres'),
    `select 'role ' || rolname as name from pg_roles where rolname like $1
     union all select 'database ' || datname from pg_database where datname like $1`,
    [`%${project.mark}%${id}`],
  );
  const inside = await query<{ name: string }>(
    server.current.superuserUrl(`app_${project.mark}`),
    `select 'schema ' || nspname as name from pg_namespace where nspname like $1
     union all select 'placement' from tenantctl.placement where tenant = $2`,
    [`%${project.mark}%${id}`, id],
  );
  return [...rows, ...inside].map(({ name }) => name);
}

describe.each(TIERS)('a tenant in tier %s', (tier) => {
  it.each(OFFBOARDING)(
    'offboarded and killed at %s, the same call again ends scheduled and exported',
    async (point) => {
      const id = await newTenant(tier);
      const folder = path.join(project.folder, `export-${id}`);
      const call = ['offboard', id, '--export', folder, '--yes'];
      expect(await project.run(...call, '--fail-at', point)).toMatchObject(KILLED);
      expect(await statusOf(id)).toBe('offboarding');
      await project.do(...call);
      await project.do('export', 'verify', folder);
      await project.do('offboard', id, '--cancel');
      expect(await statusOf(id)).toBe('active');
    },
  );

  it('brought back and killed on the way, the same call again brings it back', async () => {
    const id = await newTenant(tier);
    await project.do('offboard', id, '--without-export', '--yes');
    expect(await project.run('offboard', id, '--cancel', '--fail-at', 'offboard.home-opened')).toMatchObject(
      KILLED,
    );
    await project.do('offboard', id, '--cancel');
    expect(await statusOf(id)).toBe('active');
  });

  it.each(HOLDING)(
    'put on hold and killed at %s is on hold, and the same call again says so',
    async (point) => {
      const id = await newTenant(tier);
      await project.do('offboard', id, '--without-export', ...NOW);
      const call = ['retention', 'hold', id, '--reason', 'case'];
      expect(await project.run(...call, '--fail-at', point)).toMatchObject(KILLED);
      expect((await project.run('retention', 'run', id, '--yes')).code).toBe(5);
      await project.do(...call);
      expect((await project.run('retention', 'run', id, '--yes')).code).toBe(5);
      await project.do('retention', 'release', id, '--reason', 'over', '--yes');
      await project.do('retention', 'run', id, '--yes');
      expect(await statusOf(id)).toBe('TENANT_DELETED');
    },
  );

  const points = tier === 'pool' ? [...DELETING, ...DELETING_ROWS] : DELETING;
  it.each(points)(
    'deleted and killed at %s, the next call ends with nothing left and a certificate',
    async (point) => {
      const id = await newTenant(tier);
      await project.do('offboard', id, '--without-export', ...NOW);
      expect(await project.run('retention', 'run', id, '--yes', '--fail-at', point)).toMatchObject(KILLED);
      await project.do('retention', 'run', '--yes');
      expect(await statusOf(id)).toBe('TENANT_DELETED');
      expect(await traces(id)).toEqual([]);
      const file = path.join(project.folder, `${id}.certificate.json`);
      await project.do('certificate', id, '--out', file);
      await project.do('certificate', 'verify', file);
    },
  );
});
