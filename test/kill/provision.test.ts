import pLimit from 'p-limit';
import { beforeAll, describe, expect, it } from 'vitest';
import { FAULT_POINTS, type FaultPoint } from '../../src/core/faults.js';
import { TIERS, type Tier } from '../../src/core/tier.js';
import { query, useServer } from '../support/server.js';
import { Project } from './project.js';
import { stateOf } from './state.js';

/** The tiers whose provisioning passes a point; a point of provisioning that is not here has no test. */
const REACHED: Partial<Record<FaultPoint, readonly Tier[]>> = {
  'provision.recorded': TIERS,
  'provision.database-prepared': ['pool', 'schema'],
  'provision.created': ['pool', 'database'],
  'provision.database-copied': ['database'],
  'provision.database-closed': ['database'],
  'provision.migrated': TIERS,
  'provision.seeded': TIERS,
  'provision.activated': TIERS,
  'provision.hooked': TIERS,
  'template.created': ['database'],
  'template.migrated': ['database'],
};
/** The points at which a tenant is complete but for its hooks. */
const COMPLETE = new Set<string>(['provision.activated', 'provision.hooked']);

const points = (Object.keys(FAULT_POINTS) as FaultPoint[]).filter((point) =>
  /^(provision|template)\./.test(point),
);
const cases = points.flatMap((point) => (REACHED[point] ?? []).map((tier) => [tier, point] as const));

const server = useServer();
/** Two programs at a time: there may be no more cores. */
const lane = pLimit(2);
const undisturbed = new Map<Tier, unknown>();

beforeAll(async () => {
  await Promise.all(
    TIERS.map((tier) =>
      lane(async () => {
        const project = await new Project(server.current).install();
        await project.do(...project.provisionArgs(tier));
        undisturbed.set(tier, await stateOf(project, tier));
      }),
    ),
  );
});

describe('killed while it provisions, the same call again', () => {
  it.concurrent.each(cases)('ends as if nothing had happened: tier %s at %s', (tier, point) =>
    lane(async () => {
      const project = await new Project(server.current).install();
      const killed = await project.run(...project.provisionArgs(tier), '--fail-at', point);
      expect(killed).toMatchObject({ code: null, signal: 'SIGKILL' });
      const { acme = 'absent' } = await project.statuses();
      expect(acme).toMatch(COMPLETE.has(point) ? 'active' : /absent|provisioning/);

      await project.do(...project.provisionArgs(tier));
      expect(await stateOf(project, tier)).toEqual(undisturbed.get(tier));
      expect(new Set(project.hooked())).toEqual(new Set(['acme']));
    }),
  );

  it('is tried at every point there is', () => {
    const uncovered = points.filter((point) => (REACHED[point] ?? []).length === 0);
    expect(uncovered).toEqual([]);
    expect(TIERS.every((tier) => cases.some(([tried]) => tried === tier))).toBe(true);
  });

  it('has left no half-made database behind', async () => {
    const databases = await query<{ datname: string }>(
      server.current.adminUrl('postgres'),
      `select datname from pg_database where datname like 'tenantctl\\_%'`,
    );
    expect(
      databases.map(({ datname }) => datname).filter((name) => !name.startsWith('tenantctl_template_')),
    ).toEqual([]);
    // One template a fleet that has a tenant in the database tier.
    expect(databases).toHaveLength(cases.filter(([tier]) => tier === 'database').length + 1);
  });
});
