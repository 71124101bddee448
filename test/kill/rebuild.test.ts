import { describe, expect, it } from 'vitest';
import { FAULT_POINTS, type FaultPoint } from '../../src/core/faults.js';
import { TIERS } from '../../src/core/tier.js';
import { json } from '../support/cli.js';
import { query, useServer } from '../support/server.js';
import { Project } from './project.js';

const server = useServer();
const POINTS = (Object.keys(FAULT_POINTS) as FaultPoint[]).filter((point) => point.startsWith('rebuild.'));
const keyOf = (tier: string) =>
  `00000000-0000-4000-8000-00000000000${TIERS.findIndex((one) => one === tier)}`;

/** A fleet with a tenant in each tier, and then an empty catalog. */
async function withoutCatalog(): Promise<{ project: Project; before: unknown }> {
  const project = await new Project(server.current).install();
  await project.provisionAll(keyOf);
  const before = await listed(project);
  await query(server.current.adminUrl('postgres'), `drop database "catalog_${project.mark}" with (force)`);
  return { project, before };
}

async function listed(project: Project): Promise<unknown> {
  const { tenants } = json<{ tenants: Record<string, unknown>[] }>(await project.do('list', '--json')).data;
  return tenants.map(({ createdAt: _createdAt, ...tenant }) => tenant);
}

describe('a lost catalog', () => {
  it.each(POINTS)(
    'is whole after a rebuild that was killed at %s and the same command again',
    async (point) => {
      const { project, before } = await withoutCatalog();
      expect(json(await project.run('doctor', '--rebuild-catalog', '--yes', '--json')).error?.code).toBe(
        'CATALOG_MISSING',
      );
      await project.do('init');
      const unasked = await project.run('doctor', '--rebuild-catalog');
      expect(unasked.code).toBe(2);
      expect(unasked.stderr).toContain('--yes');
      const dry = await project.do('doctor', '--rebuild-catalog', '--dry-run');
      expect(dry.stdout).toMatch(/3 tenants to be added[^]*1\. add tenant[^]*3\. add tenant/);
      expect(dry.stdout).toContain('tombstones');
      expect(await listed(project)).toEqual([]);
      expect(await project.run('doctor', '--rebuild-catalog', '--yes', '--fail-at', point)).toMatchObject({
        code: null,
        signal: 'SIGKILL',
      });
      const { data } = json<{ rebuilt: { added: string[] }; findings: unknown[] }>(
        await project.do('doctor', '--rebuild-catalog', '--yes', '--json'),
      );
      expect([data.rebuilt.added.length, data.findings]).toEqual([2, []]);
      expect(await listed(project)).toEqual(before);
      await project.do('audit', 'verify');
    },
  );
});

it('the plan of --fix is numbered, and --fix does it', async () => {
  const project = await new Project(server.current).install();
  await project.provisionAll(keyOf);
  await query(
    project.catalogUrl,
    `update tenantctl_catalog.units set version_id = 1, version_name = 'x' where tier = 'schema'`,
  );
  await query(
    server.current.superuserUrl(`d_${project.mark}_database`),
    `update tenantctl.placement set labels = '{"ring": "b"}'`,
  );
  const dry = await project.run('doctor', '--fix', '--dry-run');
  expect(dry.stdout).toMatch(/`--fix` would\n {2}1\. .*\n {2}2\. .*/);
  const { data } = json<{ plan: string[]; fixed: unknown[] }>(
    await project.run('doctor', '--fix', '--dry-run', '--json'),
  );
  expect([data.plan.length, data.fixed]).toEqual([2, []]);
  expect(data.plan.join()).toContain('write to the home what the catalog says (description-differs)');
  expect((await project.do('doctor', '--fix')).stdout).toContain('2 findings mended');
  expect((await project.do('doctor')).stdout).toContain('nothing is wrong');
});
