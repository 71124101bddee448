import pLimit from 'p-limit';
import { describe, expect, it } from 'vitest';
import { FAULT_POINTS, type FaultPoint } from '../../src/core/faults.js';
import { TIERS } from '../../src/core/tier.js';
import { json } from '../support/cli.js';
import { query, useServer } from '../support/server.js';
import { Project } from './project.js';

const server = useServer();
const lane = pLimit(2);
const POINTS = (Object.keys(FAULT_POINTS) as FaultPoint[]).filter((point) => point.startsWith('uninstall.'));
const KILLED = { code: null, signal: 'SIGKILL' };

describe('killed while it is being removed', () => {
  it.concurrent.each(POINTS)('no pool is open, and the same call again leaves nothing of ours: %s', (point) =>
    lane(async () => {
      const project = new Project(server.current);
      await project.install();
      await project.provisionAll((tier) => `00000000-0000-4000-8000-00000000000${TIERS.indexOf(tier)}`);
      expect(await project.run('uninstall', '--yes', '--fail-at', point)).toMatchObject(KILLED);
      expect(await openTables(project)).toEqual([]);
      await project.do('uninstall', '--yes');
      expect(await openTables(project)).toEqual([]);
      expect(await leftovers(project)).toEqual([]);
      const again = await project.do('uninstall', '--yes', '--json');
      expect(json(again)).toMatchObject({ data: { removed: [] } });
    }),
  );
});

it('there are points to be killed at', () => {
  expect(POINTS.length).toBeGreaterThan(3);
});

const poolOf = ({ mark }: Project) => `app_${mark}`;

/** Tables of the pool whose rows are not held to one tenant. */
function openTables(project: Project): Promise<object[]> {
  return query(
    server.current.superuserUrl(poolOf(project)),
    `select c.relname from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant_id'
      where c.relnamespace = 'app'::regnamespace and c.relkind in ('r', 'p')
        and not (c.relrowsecurity and c.relforcerowsecurity and exists (select from pg_policy p where p.polrelid = c.oid
          and p.polname in ('tenantctl_tenant', 'tenantctl_guard') and pg_get_expr(p.polqual, p.polrelid) ~ 'tenant_id = .*current_setting'))`,
  );
}

async function leftovers(project: Project): Promise<string[]> {
  const { mark } = project;
  const inside = `select current_database() || ': schema ' || nspname as what from pg_namespace where nspname like 'tenantctl%'
    union all select 'comment ' || description from pg_description where description like 'tenantctl: %'`;
  const around = `select 'role ' || description as what from pg_shdescription
     where description like 'tenantctl: tenant%' and objoid in (select oid from pg_roles where rolname like '%${mark}%')`;
  const databases = [poolOf(project), `d_${mark}_database`, `catalog_${mark}`];
  const found = await Promise.all([
    ...databases.map((database) => query<{ what: string }>(server.current.superuserUrl(database), inside)),
    query<{ what: string }>(server.current.superuserUrl('postgres'), around),
  ]);
  return found.flat().map(({ what }) => what);
}
